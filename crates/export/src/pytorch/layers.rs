//! The layers of a module, in containers as their names say.

use std::fmt::Write;

use crate::ExportError;

/// What no layer can be called: words of Python, attributes of `nn.Module` and of its containers, and the buffer that doubling takes.
const TAKEN: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "clear",
    "compile",
    "copy",
    "cpu",
    "cuda",
    "double",
    "doubling",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "fromkeys",
    "get",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "items",
    "keys",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "pop",
    "popitem",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "setdefault",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "update",
    "values",
    "xpu",
    "zero_grad",
];

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
    /// The first weight that cannot be declared.
    error: Option<ExportError>,
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
            Layer::Module(_) => weight.strip_suffix(".weight").unwrap_or_else(|| {
                self.refuse(weight, "the weight of a layer is called `weight`");
                weight
            }),
            Layer::Parameter(_) => weight,
        };
        let parts: Vec<&str> = name.split('.').collect();
        let is_word = |part: &str| part.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let begins_well = !parts[0].starts_with(|letter: char| letter.is_numeric());
        if !begins_well
            || parts
                .iter()
                .any(|part| part.is_empty() || !is_word(part) || TAKEN.contains(part))
        {
            self.refuse(weight, "Python or PyTorch has another use for a part of its name");
        }
        if !insert(&mut self.top, &parts, &layer) {
            self.refuse(weight, "another layer stands where it belongs");
        }
        let mut expression = format!("self.{}", parts[0]);
        for part in &parts[1..] {
            let _ = write!(expression, "[{part:?}]");
        }
        expression
    }

    fn refuse(&mut self, weight: &str, reason: &'static str) {
        let name = weight.to_owned();
        self.error.get_or_insert(ExportError::Name { name, reason });
    }

    /// There is a doubling of sides, which takes a kernel.
    pub(super) fn take_doubling(&mut self) {
        self.doubles = true;
    }

    /// The lines of `__init__`.
    pub(super) fn lines(self) -> Result<String, ExportError> {
        if let Some(error) = self.error {
            return Err(error);
        }
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
        Ok(lines)
    }
}

/// Puts a layer at its place; false where another stands there.
fn insert(places: &mut Vec<(String, Place)>, parts: &[&str], layer: &Layer) -> bool {
    let [first, rest @ ..] = parts else {
        return false;
    };
    let index = places.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
        let place = match rest {
            [] => Place::Layer(layer.clone()),
            _ => Place::Container(Vec::new()),
        };
        places.push(((*first).to_owned(), place));
        places.len() - 1
    });
    match (&mut places[index].1, rest) {
        (Place::Container(inner), [_, ..]) => insert(inner, rest, layer),
        // A layer may be called twice.
        (Place::Layer(known), []) => known == layer,
        _ => false,
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
