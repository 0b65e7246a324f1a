//! What moves the weights.

use burn::{
    module::AutodiffModule,
    optim::GradientsParams,
    tensor::{
        FloatDType, Shape, Tensor, TensorData,
        backend::{AutodiffBackend, Backend},
        ops::FloatTensor,
    },
};
use ganvas_model::{ModelError, NamedTensor, Update, host_values, tensor, trainable_shapes};

use super::moving::{Moments, Moving, clip_scale, square_sums};
use crate::{AdamVariant, OptimizerConfig, OptimizerKind};

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
