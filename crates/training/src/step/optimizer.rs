//! What moves the weights.

use burn::{
    module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{
        FloatDType, Shape, Tensor, TensorData,
        backend::{AutodiffBackend, Backend},
        ops::FloatTensor,
    },
};
use ganvas_model::{ModelError, NamedTensor, Update, fused_updates, host_values, primitive, tensor, trainable_shapes};

use crate::{AdamVariant, OptimizerConfig, OptimizerKind};

/// Both moments of one parameter, in its shape.
#[derive(Debug, Clone)]
struct Moments<B: Backend> {
    first: FloatTensor<B>,
    second: FloatTensor<B>,
}

/// An optimizer's state for one network: the moments of each trainable parameter in the order of the network's fields, and the
/// number of updates done.
#[derive(Debug, Clone)]
pub struct Optimizer<B: Backend> {
    config: OptimizerConfig,
    moments: Vec<Moments<B>>,
    updates: u64,
}

impl<B: Backend> Optimizer<B> {
    /// A new optimizer.
    pub fn new(config: OptimizerConfig) -> Self {
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
        // The norm of all gradients is needed before the first weight moves.
        let clip = self.config.clip_gradients;
        let before = (clip > 0.0).then(|| square_sums::<A, M>(&module, &gradients));
        let mut update = Moving {
            rule: self.rule(),
            scale: before.as_ref().map(|squares| clip_scale(squares.clone(), clip)),
            gradients,
            moments: &mut self.moments,
            position: 0,
            square_sums: Vec::new(),
            clip_weights: self.config.clip_weights,
            measure: measure && before.is_none(),
        };
        let module = module.map(&mut update);
        let sums = update.square_sums;
        let of_moving = (!sums.is_empty()).then(|| Tensor::cat(sums, 0));
        (module, before.or(of_moving))
    }

    /// What the next update does.
    fn rule(&self) -> Update {
        let OptimizerConfig {
            kind,
            learning_rate,
            beta1,
            beta2,
            epsilon,
            variant,
            momentum,
            weight_decay,
            ..
        } = self.config;
        match kind {
            OptimizerKind::Adam | OptimizerKind::Adamw => {
                let correction2 = (1.0 - beta2.powf(self.updates as f64)).sqrt();
                let correction1 = 1.0 - beta1.powf(self.updates as f64);
                Update::Adam {
                    beta1,
                    beta2,
                    rate: learning_rate * correction2 / correction1,
                    epsilon: match variant {
                        AdamVariant::Keras => epsilon,
                        AdamVariant::Pytorch => epsilon * correction2,
                    },
                    kept: 1.0 - learning_rate * weight_decay,
                }
            }
            OptimizerKind::Rmsprop => Update::Rmsprop {
                beta2,
                momentum,
                rate: learning_rate,
                epsilon,
            },
            OptimizerKind::Sgd => Update::Sgd {
                momentum,
                rate: learning_rate,
            },
        }
    }

    /// PyTorch's names of the moments that are saved, the first and the second.
    fn moment_names(kind: OptimizerKind) -> [Option<&'static str>; 2] {
        match kind {
            OptimizerKind::Adam | OptimizerKind::Adamw => [Some("exp_avg"), Some("exp_avg_sq")],
            OptimizerKind::Rmsprop => [Some("momentum_buffer"), Some("square_avg")],
            OptimizerKind::Sgd => [Some("momentum_buffer"), None],
        }
    }

    /// The moments by the names of their parameters, such as `NAME.exp_avg` and `NAME.exp_avg_sq`, as PyTorch calls them.
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
                let moments = [&moments.first, &moments.second].into_iter();
                let saved = moments.zip(Self::moment_names(self.config.kind));
                saved.filter_map(move |(moment, kind)| Some(to_named(format!("{name}.{}", kind?), shape, moment)))
            })
            .collect()
    }

    /// Takes up what [`named_moments`](Self::named_moments) gave.
    ///
    /// # Errors
    /// The first missing, misshapen or unknown tensor.
    pub fn resume<A, M>(
        config: OptimizerConfig,
        module: &M,
        tensors: Vec<NamedTensor>,
        updates: u64,
        device: &B::Device,
    ) -> Result<Self, ModelError>
    where
        A: AutodiffBackend<InnerBackend = B>,
        M: AutodiffModule<A>,
    {
        let mut optimizer = Self::new(config);
        optimizer.updates = updates;
        if updates == 0 && tensors.is_empty() {
            return Ok(optimizer);
        }
        let mut tensors: std::collections::BTreeMap<_, _> = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        for (name, shape) in trainable_shapes::<A, M>(module) {
            let mut take = |kind: Option<&str>| {
                let Some(kind) = kind else {
                    return Ok(B::float_zeros(Shape::from(shape.clone()), device, FloatDType::F32));
                };
                match tensors.remove(&format!("{name}.{kind}")) {
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
                }
            };
            let [first, second] = Self::moment_names(config.kind);
            optimizer.moments.push(Moments {
                first: take(first)?,
                second: take(second)?,
            });
        }
        match tensors.into_keys().next() {
            Some(name) => Err(ModelError::UnknownTensor { name }),
            None => Ok(optimizer),
        }
    }
}

/// One update on its way through a network.
struct Moving<'a, B: Backend> {
    rule: Update,
    /// What all gradients are multiplied with, `[1]`, where they are clipped.
    scale: Option<Tensor<B, 1>>,
    gradients: GradientsParams,
    moments: &'a mut Vec<Moments<B>>,
    position: usize,
    square_sums: Vec<Tensor<B, 1>>,
    clip_weights: f64,
    measure: bool,
}

/// Dimension by dimension: burn-cubecl adds up a whole tensor in an order that changes from run to run, and Mesa's llvmpipe ends loops after 65,535
/// rounds, which a flat gradient would go beyond.
fn square_sum<B: Backend, const D: usize>(gradient: Tensor<B, D>) -> Tensor<B, 1> {
    let square = (0..D).fold(gradient.square(), |sum, dimension| sum.sum_dim(dimension));
    square.reshape([1])
}

/// The sum of squares of each trainable parameter's gradient, `[parameters]`.
fn square_sums<A: AutodiffBackend, M: Module<A>>(
    module: &M,
    gradients: &GradientsParams,
) -> Tensor<A::InnerBackend, 1> {
    struct Collector<'a, B: Backend> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<B, 1>>,
    }
    impl<A: AutodiffBackend> ModuleVisitor<A> for Collector<'_, A::InnerBackend> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
            if param.is_require_grad() {
                let gradient = self.gradients.get::<A::InnerBackend, D>(param.id);
                self.sums.push(match gradient {
                    Some(gradient) => square_sum(gradient),
                    None => Tensor::zeros([1], &param.device()),
                });
            }
        }
    }
    let mut collector = Collector {
        gradients,
        sums: Vec::new(),
    };
    module.visit(&mut collector);
    Tensor::cat(collector.sums, 0)
}

/// `min(1, most / (‖g‖ + 1e-6))`, as PyTorch's `clip_grad_norm_`.
fn clip_scale<B: Backend>(square_sums: Tensor<B, 1>, most: f64) -> Tensor<B, 1> {
    let norm = square_sums.sum_dim(0).sqrt();
    ((norm + 1e-6).recip() * most).clamp_max(1.0)
}

impl<B: Backend> Moving<'_, B> {
    fn update<const D: usize>(
        &mut self,
        weight: Tensor<B, D>,
        gradient: Tensor<B, D>,
        old: Option<Moments<B>>,
    ) -> (Tensor<B, D>, Moments<B>) {
        let gradient = match &self.scale {
            Some(scale) => gradient * scale.clone().reshape([1; D]),
            None => gradient,
        };
        if let Some(fused) = fused_updates::<B>(&weight.device()) {
            let moments = old.map(|Moments { first, second }| [first, second]);
            let device = weight.device();
            let ([weight, first, second], square_sum) =
                fused.update(primitive(weight), primitive(gradient), moments, self.rule);
            self.square_sums.push(Tensor::from_floats([square_sum], &device));
            return (tensor(weight), Moments { first, second });
        }
        if self.measure {
            self.square_sums.push(square_sum(gradient.clone()));
        }
        let zeros = || primitive(weight.zeros_like());
        let Moments { first, second } = old.unwrap_or_else(|| Moments {
            first: zeros(),
            second: zeros(),
        });
        let (first, second) = (tensor::<B, D>(first), tensor::<B, D>(second));
        let (weight, first, second) = match self.rule {
            Update::Adam {
                beta1,
                beta2,
                rate,
                epsilon,
                kept,
            } => {
                let first = first * beta1 + gradient.clone() * (1.0 - beta1);
                let second = second * beta2 + gradient.square() * (1.0 - beta2);
                let step = first.clone() / (second.clone().sqrt() + epsilon) * rate;
                let weight = if kept == 1.0 { weight } else { weight * kept };
                (weight - step, first, second)
            }
            Update::Rmsprop {
                beta2,
                momentum,
                rate,
                epsilon,
            } => {
                let second = second * beta2 + gradient.clone().square() * (1.0 - beta2);
                let first = first * momentum + gradient / (second.clone().sqrt() + epsilon);
                (weight - first.clone() * rate, first, second)
            }
            Update::Sgd { momentum, rate } => {
                let first = first * momentum + gradient;
                (weight - first.clone() * rate, first, second)
            }
        };
        let [first, second] = [first, second].map(primitive);
        (weight, Moments { first, second })
    }
}

impl<A: AutodiffBackend> ModuleMapper<A> for Moving<'_, A::InnerBackend> {
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
