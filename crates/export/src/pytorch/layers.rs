//! The layers of a module, in containers as their names say.

use std::fmt::Write;

/// What stands under a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layer {
    /// What makes a module, whose weights have names of their own.
    Module(String),
    /// A parameter of this shape.
    Parameter(Vec<usize>),
}

/// The layers of a module, by their names' parts.
#[derive(Debug, Default)]
pub(super) struct Layers {
    top: Vec<(String, Place)>,
    doubles: bool,
}

#[derive(Debug)]
enum Place {
    Layer(Layer),
    Container(Vec<(String, Place)>),
}

impl Layers {
    /// Declares the layer of a weight, and gives the expression that calls it: `levels.0.convs.1.weight` is the module `levels.0.convs.1`.
    pub(super) fn declare(&mut self, weight: &str, layer: Layer) -> String {
        let name = match layer {
            Layer::Module(_) => weight.rsplit_once('.').map_or(weight, |(module, _)| module),
            Layer::Parameter(_) => weight,
        };
        let parts: Vec<&str> = name.split('.').collect();
        insert(&mut self.top, &parts, layer);
        let mut expression = format!("self.{}", parts[0]);
        for part in &parts[1..] {
            let _ = write!(expression, "[{part:?}]");
        }
        expression
    }

    /// There is a doubling of sides, which takes a kernel.
    pub(super) fn take_doubling(&mut self) {
        self.doubles = true;
    }

    /// The lines of `__init__`.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for (name, place) in &self.top {
            let _ = writeln!(lines, "{:8}self.{name} = {}", "", expression(place, 8));
        }
        if self.doubles {
            let _ = writeln!(lines, "{:8}taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4", "");
            let _ = writeln!(
                lines,
                "{:8}self.register_buffer(\"doubling\", taps[:, None] * taps, persistent=False)",
                ""
            );
        }
        lines
    }
}

fn insert(places: &mut Vec<(String, Place)>, parts: &[&str], layer: Layer) {
    let [first, rest @ ..] = parts else {
        return;
    };
    let index = match places.iter().position(|(name, _)| name == first) {
        Some(index) => index,
        None => {
            let place = match rest {
                [] => Place::Layer(layer.clone()),
                _ => Place::Container(Vec::new()),
            };
            places.push(((*first).to_owned(), place));
            places.len() - 1
        }
    };
    if let (Place::Container(inner), [_, ..]) = (&mut places[index].1, rest) {
        insert(inner, rest, layer);
    }
}

/// The expression that makes what stands at a place; its further lines are so far from the border.
fn expression(place: &Place, indent: usize) -> String {
    match place {
        Place::Layer(Layer::Module(module)) => module.clone(),
        Place::Layer(Layer::Parameter(shape)) => {
            let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
            format!("nn.Parameter(torch.empty({}))", sides.join(", "))
        }
        Place::Container(inner) => {
            let (container, close) = match inner
                .iter()
                .all(|(_, place)| !matches!(place, Place::Layer(Layer::Parameter(_))))
            {
                true => ("nn.ModuleDict({", "})"),
                false => ("nn.ParameterDict({", "})"),
            };
            let mut text = container.to_owned();
            for (name, place) in inner {
                let _ = write!(text, "\n{:indent$}    {name:?}: {},", "", expression(place, indent + 4));
            }
            let _ = write!(text, "\n{:indent$}{close}", "");
            text
        }
    }
}
