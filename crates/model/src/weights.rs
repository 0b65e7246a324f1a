//! Weights by PyTorch-style names, and as safetensors.

use std::collections::{BTreeMap, HashMap};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::{Tensor, TensorData, backend::Backend},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::ModelError;

/// A tensor on the host, in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The path of fields joined by points, such as `convs.0.weight`.
    pub name: String,
    /// The shape; PyTorch's for every layer.
    pub shape: Vec<usize>,
    /// The values, full precision.
    pub values: Vec<f32>,
}

/// The values of a tensor on the host, in C order.
pub fn host_values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    match data.as_slice() {
        Ok(values) => values.to_vec(),
        // Value by value is forty times as slow.
        Err(_) => data.iter().collect(),
    }
}

/// Where in a module a visitor or mapper stands.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    /// An enum's variant (`Dcgan`) says which family it is, not where the weight stands.
    fn is_named(container_type: &str) -> bool {
        !container_type.starts_with("Enum:")
    }

    fn enter(&mut self, name: &str, container_type: &str) {
        if Self::is_named(container_type) {
            self.0.push(name.to_owned());
        }
    }

    fn exit(&mut self, container_type: &str) {
        if Self::is_named(container_type) {
            self.0.pop();
        }
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

/// All float parameters of a module, running statistics included, in the order of its fields.
pub fn named_tensors<B: Backend, M: Module<B>>(module: &M) -> Vec<NamedTensor> {
    struct Collector {
        path: Path,
        tensors: Vec<NamedTensor>,
    }
    impl<B: Backend> ModuleVisitor<B> for Collector {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.tensors.push(NamedTensor {
                name: self.path.name(),
                shape: param.dims().to_vec(),
                values: host_values(param.val()),
            });
        }
    }
    let mut collector = Collector {
        path: Path::default(),
        tensors: Vec::new(),
    };
    module.visit(&mut collector);
    collector.tensors
}

/// A float parameter of a module, without its values.
struct Parameter {
    id: ParamId,
    name: String,
    shape: Vec<usize>,
    is_trained: bool,
}

/// All float parameters of a module, in the order of its fields.
fn parameters<B: Backend, M: Module<B>>(module: &M) -> Vec<Parameter> {
    #[derive(Default)]
    struct Collector {
        path: Path,
        parameters: Vec<Parameter>,
    }
    impl<B: Backend> ModuleVisitor<B> for Collector {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.parameters.push(Parameter {
                id: param.id,
                name: self.path.name(),
                shape: param.dims().to_vec(),
                is_trained: param.is_require_grad(),
            });
        }
    }
    let mut collector = Collector::default();
    module.visit(&mut collector);
    collector.parameters
}

/// Names and shapes of a module's trainable parameters, in the order of its fields: all but the buffers.
pub fn trainable_shapes<B: Backend, M: Module<B>>(module: &M) -> Vec<(String, Vec<usize>)> {
    let trained = parameters(module).into_iter().filter(|parameter| parameter.is_trained);
    trained.map(|parameter| (parameter.name, parameter.shape)).collect()
}

/// The names of all float parameters of a module.
pub(crate) fn parameter_names<B: Backend, M: Module<B>>(module: &M) -> HashMap<ParamId, String> {
    let parameters = parameters(module).into_iter();
    parameters.map(|parameter| (parameter.id, parameter.name)).collect()
}

/// Puts tensors into a module by name; each must be there exactly once, with its shape.
///
/// # Errors
/// The first missing, misshapen or unknown tensor.
pub fn apply_named_tensors<B: Backend, M: Module<B>>(module: M, tensors: Vec<NamedTensor>) -> Result<M, ModelError> {
    struct Loader {
        path: Path,
        tensors: BTreeMap<String, NamedTensor>,
        error: Option<ModelError>,
    }
    impl<B: Backend> ModuleMapper<B> for Loader {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }
        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let name = self.path.name();
            let expected = param.dims().to_vec();
            match self.tensors.remove(&name) {
                Some(tensor) if tensor.shape == expected => {
                    let (trained, device) = (param.is_require_grad(), param.device());
                    let data = TensorData::new(tensor.values, tensor.shape);
                    let value = Tensor::<B, D>::from_data(data, &device).set_require_grad(trained);
                    Param::initialized(param.id, value)
                }
                other => {
                    self.error.get_or_insert(match other {
                        Some(tensor) => ModelError::TensorShape {
                            name,
                            expected,
                            found: tensor.shape,
                        },
                        None => ModelError::MissingTensor { name, shape: expected },
                    });
                    param
                }
            }
        }
    }
    let mut loader = Loader {
        path: Path::default(),
        tensors: tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect(),
        error: None,
    };
    let module = module.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    match loader.tensors.into_keys().next() {
        Some(name) => Err(ModelError::UnknownTensor { name }),
        None => Ok(module),
    }
}

/// Writes tensors as a safetensors file in memory, 32-bit floats.
///
/// # Errors
/// [`ModelError::Safetensors`] where a shape does not fit its values.
pub fn to_safetensors(
    tensors: &[NamedTensor],
    metadata: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<u8>, ModelError> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| {
            let mut bytes = vec![0; 4 * tensor.values.len()];
            for (four, value) in bytes.chunks_exact_mut(4).zip(&tensor.values) {
                four.copy_from_slice(&value.to_le_bytes());
            }
            bytes
        })
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| Ok((&tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, Some(metadata.into_iter().collect()))?)
}

/// Reads a safetensors file of 32-bit floats; the tensors come in the order of their names.
///
/// # Errors
/// [`ModelError::Safetensors`] where the bytes are no whole file, [`ModelError::TensorType`] for other element types.
pub fn from_safetensors(bytes: &[u8]) -> Result<Vec<NamedTensor>, ModelError> {
    let file = SafeTensors::deserialize(bytes)?;
    // By name, so that of several mistakes the same one is reported each time: the reader keeps them in a table without an order.
    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    views
        .into_iter()
        .map(|(name, view)| {
            if view.dtype() != Dtype::F32 {
                return Err(ModelError::TensorType {
                    name: name.to_owned(),
                    found: format!("{:?}", view.dtype()),
                });
            }
            let values = view
                .data()
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                .collect();
            Ok(NamedTensor {
                name: name.to_owned(),
                shape: view.shape().to_vec(),
                values,
            })
        })
        .collect()
}
