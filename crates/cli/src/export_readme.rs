//! The page beside exported files: what they are, and how to use each.

use ganvas_model::Graph;

/// What the page and the files say of their generator.
pub struct Facts<'a> {
    pub run: String,
    pub step: u64,
    /// Whether the weights that were trained last were asked for.
    pub is_raw: bool,
    pub is_averaged: bool,
    pub graph: &'a Graph,
    /// The names of the classes, of a conditional generator.
    pub classes: Vec<String>,
}

impl Facts<'_> {
    /// Which of the run's generators.
    pub fn weights(&self) -> &'static str {
        match self.is_averaged {
            true => "averaged over the steps",
            false => "as trained last",
        }
    }

    /// One line.
    pub fn title(&self) -> String {
        format!(
            "The generator of `{}` at step {}, weights {}; written by ganvas {}.",
            self.run.replace('`', "'"),
            self.step,
            self.weights(),
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// The page, in Markdown.
pub fn readme(facts: &Facts<'_>) -> String {
    let latent = facts.graph.latent_size;
    let [channels, height, width] = facts.graph.image.dims();
    let is_conditional = facts.graph.takes_classes();
    let classes = match is_conditional {
        true => format!(
            " and `class`, int64 `[batch]`, 0 to {}: {}",
            facts.graph.classes.saturating_sub(1),
            list(&facts.classes)
        ),
        false => String::new(),
    };
    let feed = match is_conditional {
        true => format!(", \"class\": np.arange(16, dtype=\"int64\") % {}", facts.graph.classes),
        false => String::new(),
    };
    let argument = match is_conditional {
        true => format!(", torch.arange(16) % {}", facts.graph.classes),
        false => String::new(),
    };
    let raw = if facts.is_raw { " --weights raw" } else { "" };
    let class = if is_conditional { " --class 0" } else { "" };
    let same = format!("{raw}{class}");
    format!(
        "{title}

Noise goes in, `z`, float `[batch, {latent}]`, standard normal{classes}; images come out, float `[batch, {channels}, {height}, {width}]`, -1 black to 1 white. \
`((images.clip(-1, 1) + 1) * 127.5).round()` goes from 0 to 255.

ONNX, opset {opset} (`pip install onnxruntime`):
```python
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(\"generator.onnx\")
images = session.run(None, {{\"z\": np.random.randn(16, {latent}).astype(\"float32\"){feed}}})[0]
```
PyTorch (`pip install torch safetensors`), in this folder:
```python
import torch, generator
images = generator.load()(torch.randn(16, {latent}){argument})
```
`generator.safetensors` holds the weights by PyTorch's names; `ganvas generate RUN --checkpoint {step}{same} --save-noise z.npy --out images.npy` makes pairs to compare with.
",
        step = facts.step,
        title = facts.title(),
        opset = ganvas_export::OPSET,
    )
}

/// Names, the first of many.
fn list(names: &[String]) -> String {
    const MOST: usize = 20;
    let more = if names.len() > MOST { " and so on" } else { "" };
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{}`", name.replace('`', "'")))
        .collect();
    format!("{}{more}", shown.join(", "))
}
