//! Adam.

use burn::{
    module::{AutodiffModule, ModuleMapper, Param},
    optim::GradientsParams,
    tensor::{
        Shape, Tensor, TensorData,
        backend::{AutodiffBackend, Backend},
        ops::FloatTensor,
    },
};
use ganvas_model::{
    AdamConstants, ModelError, NamedTensor, fused_updates, host_values, primitive, tensor, trainable_shapes,
};

use crate::{AdamConfig, AdamVariant};

/// Both moments of one parameter, in its shape.
#[derive(Debug, Clone)]
struct Moments<B: Backend> {
    first: FloatTensor<B>,
    second: FloatTensor<B>,
}

/// Adam's state for one network: the moments of each trainable parameter in the order of the network's fields, and the
/// number of updates done.
#[derive(Debug, Clone)]
pub struct Adam<B: Backend> {
    config: AdamConfig,
    moments: Vec<Moments<B>>,
    updates: u64,
}

impl<B: Backend> Adam<B> {
    /// A new optimizer.
    pub fn new(config: AdamConfig) -> Self {
        Self {
            config,
            moments: Vec::new(),
            updates: 0,
        }
    }

    /// The number of updates done.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Sets the learning rate of the updates after this: whoever calls it has a schedule.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.config.learning_rate = learning_rate;
    }

    /// Sets the decay of the second moment of the updates after this.
    pub fn set_beta2(&mut self, beta2: f64) {
        self.config.beta2 = beta2;
    }

    /// Moves every trainable parameter of `module` once.
    ///
    /// Also returns the sum of squares of each parameter's gradient, `[parameters]` in the order of the network's fields: always
    /// where it costs nothing, because the update is one pass over memory in reach, elsewhere with `measure`.
    pub fn step<A, M>(&mut self, module: M, gradients: GradientsParams, measure: bool) -> (M, Option<Tensor<B, 1>>)
    where
        A: AutodiffBackend<InnerBackend = B>,
        M: AutodiffModule<A>,
    {
        self.updates += 1;
        let AdamConfig {
            learning_rate,
            beta1,
            beta2,
            epsilon,
            variant,
            clip_weights,
        } = self.config;
        let correction2 = (1.0 - beta2.powf(self.updates as f64)).sqrt();
        let correction1 = 1.0 - beta1.powf(self.updates as f64);
        let mut update = Update {
            constants: AdamConstants {
                beta1,
                beta2,
                rate: learning_rate * correction2 / correction1,
                epsilon: match variant {
                    AdamVariant::Keras => epsilon,
                    AdamVariant::Pytorch => epsilon * correction2,
                },
            },
            gradients,
            moments: &mut self.moments,
            position: 0,
            square_sums: Vec::new(),
            clip_weights,
            measure,
        };
        let module = module.map(&mut update);
        let sums = update.square_sums;
        (module, (!sums.is_empty()).then(|| Tensor::cat(sums, 0)))
    }

    /// The moments by the names of their parameters: `NAME.exp_avg` and `NAME.exp_avg_sq`, as PyTorch calls them.
    pub fn named_moments<A, M>(&self, module: &M) -> Vec<NamedTensor>
    where
        A: AutodiffBackend<InnerBackend = B>,
        M: AutodiffModule<A>,
    {
        let to_named = |name: String, shape: &[usize], moment: &FloatTensor<B>| {
            let count = shape.iter().product();
            let flat: Tensor<B, 1> = tensor(B::float_reshape(moment.clone(), Shape::new([count])));
            NamedTensor {
                name,
                shape: shape.to_vec(),
                values: host_values(flat),
            }
        };
        trainable_shapes::<A, M>(module)
            .iter()
            .zip(&self.moments)
            .flat_map(|((name, shape), moments)| {
                [
                    to_named(format!("{name}.exp_avg"), shape, &moments.first),
                    to_named(format!("{name}.exp_avg_sq"), shape, &moments.second),
                ]
            })
            .collect()
    }

    /// Takes up what [`named_moments`](Self::named_moments) gave.
    ///
    /// # Errors
    /// The first missing, misshapen or unknown tensor.
    pub fn resume<A, M>(
        config: AdamConfig,
        module: &M,
        tensors: Vec<NamedTensor>,
        updates: u64,
        device: &B::Device,
    ) -> Result<Self, ModelError>
    where
        A: AutodiffBackend<InnerBackend = B>,
        M: AutodiffModule<A>,
    {
        let mut adam = Self::new(config);
        adam.updates = updates;
        if updates == 0 && tensors.is_empty() {
            return Ok(adam);
        }
        let mut tensors: std::collections::BTreeMap<_, _> = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        for (name, shape) in trainable_shapes::<A, M>(module) {
            let mut take = |kind: &str| match tensors.remove(&format!("{name}.{kind}")) {
                Some(tensor) if tensor.shape == shape => {
                    Ok(B::float_from_data(TensorData::new(tensor.values, tensor.shape), device))
                }
                Some(tensor) => Err(ModelError::TensorShape {
                    name: tensor.name,
                    expected: shape.clone(),
                    found: tensor.shape,
                }),
                None => Err(ModelError::MissingTensor {
                    name: format!("{name}.{kind}"),
                    shape: shape.clone(),
                }),
            };
            adam.moments.push(Moments {
                first: take("exp_avg")?,
                second: take("exp_avg_sq")?,
            });
        }
        match tensors.into_keys().next() {
            Some(name) => Err(ModelError::UnknownTensor { name }),
            None => Ok(adam),
        }
    }
}

/// One update on its way through a network.
struct Update<'a, B: Backend> {
    /// ε has the second moment's correction where the variant wants it.
    constants: AdamConstants,
    gradients: GradientsParams,
    moments: &'a mut Vec<Moments<B>>,
    position: usize,
    square_sums: Vec<Tensor<B, 1>>,
    clip_weights: f64,
    measure: bool,
}

impl<B: Backend> Update<'_, B> {
    fn update<const D: usize>(
        &mut self,
        weight: Tensor<B, D>,
        gradient: Tensor<B, D>,
        old: Option<Moments<B>>,
    ) -> (Tensor<B, D>, Moments<B>) {
        if let Some(fused) = fused_updates::<B>(&weight.device()) {
            let moments = old.map(|Moments { first, second }| [first, second]);
            let device = weight.device();
            let ([weight, first, second], square_sum) =
                fused.adam(primitive(weight), primitive(gradient), moments, self.constants);
            self.square_sums.push(Tensor::from_floats([square_sum], &device));
            return (tensor(weight), Moments { first, second });
        }
        let AdamConstants {
            beta1,
            beta2,
            rate,
            epsilon,
        } = self.constants;
        if self.measure {
            // Dimension by dimension: burn-cubecl adds up a whole tensor in an order that changes from run to run, and
            // Mesa's llvmpipe ends loops after 65,535 rounds, which a flat gradient would go beyond.
            let square = (0..D).fold(gradient.clone().square(), |sum, dimension| sum.sum_dim(dimension));
            self.square_sums.push(square.reshape([1]));
        }
        let new_first = gradient.clone() * (1.0 - beta1);
        let new_second = gradient.square() * (1.0 - beta2);
        let (first, second) = match old {
            Some(Moments { first, second }) => (
                tensor::<B, D>(first) * beta1 + new_first,
                tensor::<B, D>(second) * beta2 + new_second,
            ),
            None => (new_first, new_second),
        };
        let step = first.clone() / (second.clone().sqrt() + epsilon) * rate;
        let [first, second] = [first, second].map(primitive);
        (weight - step, Moments { first, second })
    }
}

impl<A: AutodiffBackend> ModuleMapper<A> for Update<'_, A::InnerBackend> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        if !param.is_require_grad() {
            return param;
        }
        let weight = param.val().inner();
        let gradient = match self.gradients.remove::<A::InnerBackend, D>(param.id) {
            Some(gradient) => gradient,
            // A parameter that the loss does not reach has gradient zero: its moments still decay.
            None => weight.zeros_like(),
        };
        let old = self.moments.get(self.position).cloned();
        let (mut weight, moments) = self.update(weight, gradient, old);
        if self.clip_weights > 0.0 {
            weight = weight.clamp(-self.clip_weights, self.clip_weights);
        }
        match self.moments.get_mut(self.position) {
            Some(slot) => *slot = moments,
            None => self.moments.push(moments),
        }
        self.position += 1;
        Param::initialized(param.id, Tensor::from_inner(weight).require_grad())
    }
}
