//! Golden numbers made by Keras (`tests/reference/golden.py`), checked there by numpy, and the formula that gives both
//! sides their weights, noise and images.

use std::{collections::BTreeMap, fs};

use burn::{
    module::Module,
    tensor::{Tensor, TensorData, backend::Backend},
};
use ganvas_model::{Batch, NamedTensor, NetworkConfig, apply_named_tensors, named_tensors};
use serde::Deserialize;

use crate::workspace;

/// `formula.py`'s pattern: `count` values in (-1, 1) for tensor number `t`.
pub fn pattern(t: u32, count: usize) -> Vec<f64> {
    (0..count as u32)
        .map(|i| {
            let mut x = (i.wrapping_add(1))
                .wrapping_mul(0x9E37_79B1)
                .wrapping_add(t.wrapping_add(1).wrapping_mul(0x85EB_CA6B));
            x ^= x >> 16;
            x = x.wrapping_mul(0x7FEB_352D);
            x ^= x >> 15;
            x = x.wrapping_mul(0x846C_A68B);
            x ^= x >> 16;
            (f64::from(x) + 0.5) / 2f64.powi(32) * 2.0 - 1.0
        })
        .collect()
}

/// A tensor of the pattern times `scale`, rounded to f32 once.
pub fn pattern_tensor<B: Backend, const D: usize>(
    t: u32,
    scale: f64,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    let values = rounded(t, shape.iter().product(), |u| scale * u);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A network whose tensors have the pattern of their place among its own, from `first` on, as `value` makes it of the tensor and the pattern.
pub fn patterned<B: Backend, M: Module<B>>(network: M, first: u32, value: impl Fn(&NamedTensor, f64) -> f32) -> M {
    let of_place = |(place, tensor): (usize, NamedTensor)| {
        let values = pattern(first + place as u32, tensor.values.len()).into_iter();
        let values = values.map(|u| value(&tensor, u)).collect();
        NamedTensor { values, ..tensor }
    };
    let tensors = named_tensors(&network).into_iter().enumerate();
    apply_named_tensors(network, tensors.map(of_place).collect()).unwrap()
}

/// `formula.py`'s scale of kernels, √(6 / (fan_in + fan_out)).
pub fn kernel_scale(shape: &[usize]) -> f64 {
    let fans = shape[2..].iter().product::<usize>() * (shape[0] + shape[1]);
    (6.0 / fans as f64).sqrt()
}

fn rounded(t: u32, count: usize, function: impl Fn(f64) -> f64) -> Vec<f32> {
    pattern(t, count).into_iter().map(|u| function(u) as f32).collect()
}

/// The batch of a case's training step, the first of which has index 0.
pub fn step_batch<B: Backend>(case: &Case, index: usize, device: &B::Device) -> Batch<B> {
    let number = 100 * index as u32;
    Batch {
        z: pattern_tensor(1000 + number, 1.7, [case.config.batch, case.config.latent], device),
        images: pattern_tensor(2000 + number, 1.0, [case.config.batch, 1, 28, 28], device),
        labels: None,
        fake_labels: None,
        strength: Default::default(),
        number: 0,
        seed: 0,
    }
}

/// Which tensors lie otherwise in our networks than in Keras': `dcgan` has the features between its convolutions and its fully
/// connected layers in the order (channel, y, x), as PyTorch has, where Keras has (y, x, channel).
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Pixels of those features.
    pixels: Option<usize>,
}

impl Layout {
    pub fn of(network: &NetworkConfig) -> Self {
        Self {
            pixels: matches!(network, NetworkConfig::Dcgan(_)).then_some(7 * 7),
        }
    }

    /// Keras' values in our order.
    pub fn to_ours(self, tensor: NamedTensor) -> NamedTensor {
        self.reorder(tensor, |pixels, channels, feature| {
            let (channel, pixel) = (feature / pixels, feature % pixels);
            pixel * channels + channel
        })
    }

    /// Our values in Keras' order.
    pub fn to_keras(self, tensor: NamedTensor) -> NamedTensor {
        self.reorder(tensor, |pixels, channels, feature| {
            let (pixel, channel) = (feature / channels, feature % channels);
            channel * pixels + pixel
        })
    }

    /// Gives feature `f` the values that feature `from(pixels, channels, f)` has.
    fn reorder(self, tensor: NamedTensor, from: impl Fn(usize, usize, usize) -> usize) -> NamedTensor {
        let Some(pixels) = self.pixels.filter(|_| tensor.name == "linear.weight") else {
            return tensor;
        };
        // `[features, latent]` in the generator, `[1, features]` in the discriminator.
        let [rows, columns] = tensor.shape[..] else {
            panic!("{:?}", tensor.shape)
        };
        let of_rows = rows > 1;
        let channels = if of_rows { rows } else { columns } / pixels;
        let values = (0..rows * columns)
            .map(|index| {
                let (row, column) = (index / columns, index % columns);
                tensor.values[match of_rows {
                    true => from(pixels, channels, row) * columns + column,
                    false => from(pixels, channels, column),
                }]
            })
            .collect();
        NamedTensor { values, ..tensor }
    }
}

#[derive(Debug, Deserialize)]
pub struct Spec {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: String,
    pub number: u32,
}

impl Spec {
    /// The first value of this tensor.
    pub fn initial(&self) -> NamedTensor {
        let count = self.shape.iter().product();
        // Keras' fan_in + fan_out in PyTorch's layout.
        let fans = || self.shape[2..].iter().product::<usize>() * (self.shape[0] + self.shape[1]);
        let values = match self.kind.as_str() {
            "linear" | "conv" | "conv_transpose" => rounded(self.number, count, |u| u * (6.0 / fans() as f64).sqrt()),
            "bias" | "running_mean" => rounded(self.number, count, |u| 0.05 * u),
            "gamma" => rounded(self.number, count, |u| 1.0 + 0.1 * u),
            "beta" => rounded(self.number, count, |u| 0.1 * u),
            "running_var" => rounded(self.number, count, |u| 1.0 + 0.2 * u),
            other => panic!("the golden file has a tensor of unknown kind {other}"),
        };
        NamedTensor {
            name: self.name.clone(),
            shape: self.shape.clone(),
            values,
        }
    }
}

/// Norm and projection of a tensor: its size, and a number that notices every sign and place.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Figure {
    pub norm: f64,
    pub projection: f64,
}

impl Figure {
    /// Of values in PyTorch's layout, projected on the pattern of tensor number `t`.
    pub fn of(values: &[f32], t: u32) -> Self {
        let projection = values
            .iter()
            .zip(pattern(t, values.len()))
            .map(|(&value, u)| f64::from(value) * u)
            .sum();
        let norm = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        Self { norm, projection }
    }

    /// Fails where size or direction differ by more than these tolerances, both relative to the size.
    #[track_caller]
    pub fn assert_near(self, what: &str, expected: Self, norm: f64, projection: f64) {
        // Single values near zero have nothing to be relative to; Adam's smallest steps are far above this.
        let scale = expected.norm.max(1e-12);
        crate::assert_near(&format!("norm of {what}"), self.norm, expected.norm, scale, norm);
        let what = format!("projection of {what}");
        crate::assert_near(&what, self.projection, expected.projection, scale, projection);
    }
}

#[derive(Debug, Deserialize)]
pub struct Tensors {
    pub generator: Vec<Spec>,
    pub discriminator: Vec<Spec>,
}

#[derive(Debug, Deserialize)]
pub struct Fake {
    pub samples: Vec<(usize, f64)>,
    pub mean: f64,
    pub std: f64,
}

#[derive(Debug, Deserialize)]
pub struct Row {
    pub name: String,
    pub gradient: Option<Figure>,
    pub value: Figure,
    pub update: Figure,
}

#[derive(Debug, Deserialize)]
pub struct Step {
    pub logits: BTreeMap<String, Vec<f64>>,
    pub d_loss: f64,
    pub g_loss: f64,
    pub generator: Vec<Row>,
    pub discriminator: Vec<Row>,
}

#[derive(Debug, Deserialize)]
pub struct Config {
    pub batch: usize,
    pub latent: usize,
}

/// One case of `golden.py`.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub config: Config,
    pub tensors: Tensors,
    pub fake: Fake,
    pub steps: Vec<Step>,
    /// How far each quantity moves, at worst and step by step, when the first weights are moved by 3e-7 of themselves in
    /// 64 bits. Nearer than that no 32-bit implementation can be held: a ReLU's input that is nearly zero changes sides.
    pub nudged_differences: BTreeMap<String, Vec<f64>>,
}

impl Case {
    /// `tolerance`, or four times what a nudge does to this quantity at this step where that is more.
    pub fn tolerance(&self, quantity: &str, step: usize, tolerance: f64) -> f64 {
        let nudged = self.nudged_differences.get(quantity).and_then(|steps| steps.get(step));
        tolerance.max(4.0 * nudged.unwrap_or_else(|| panic!("no sensitivity of {quantity} at step {step}")))
    }
}

#[derive(Debug, Deserialize)]
pub struct FormulaCheck {
    pub t: u32,
    pub i: usize,
    pub u: f64,
}

#[derive(Debug, Deserialize)]
pub struct Layer {
    pub transposed: bool,
    pub cin: usize,
    pub cout: usize,
    pub k: usize,
    pub s: usize,
    pub p: usize,
    pub h: usize,
    pub w: usize,
    pub output_shape: [usize; 4],
    pub samples: Vec<(usize, f64)>,
    pub output: Figure,
    pub input_gradient: Figure,
    pub weight_gradient: Figure,
    pub bias_gradient: Figure,
}

#[derive(Debug, Deserialize)]
pub struct Layers {
    pub formula: Vec<FormulaCheck>,
    pub layers: Vec<Layer>,
}

/// Reads `tests/reference/NAME.json`.
pub fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let path = workspace().join("tests/reference").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The values of a tensor, in C order.
pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().iter::<f32>().collect()
}

#[test]
fn the_formula_gives_the_numbers_that_the_script_printed() {
    let layers: Layers = read("layers");
    assert!(!layers.formula.is_empty());
    for check in layers.formula {
        let u = pattern(check.t, check.i + 1)[check.i];
        assert!(
            (u - check.u).abs() < 1e-8,
            "t = {}, i = {}: expected {}, found {u}",
            check.t,
            check.i,
            check.u
        );
    }
}
