//! One update of the weights on its way through a network.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{
        Tensor,
        backend::{AutodiffBackend, Backend},
        ops::FloatTensor,
    },
};
use ganvas_model::{Update, fused_updates, primitive, tensor};

/// Both moments of one parameter, in its shape.
#[derive(Debug, Clone)]
pub(super) struct Moments<B: Backend> {
    pub(super) first: FloatTensor<B>,
    pub(super) second: FloatTensor<B>,
}

/// One update on its way through a network.
pub(super) struct Moving<'a, B: Backend> {
    pub(super) rule: Update,
    /// What all gradients are multiplied with, `[1]`, where they are clipped.
    pub(super) scale: Option<Tensor<B, 1>>,
    pub(super) gradients: GradientsParams,
    pub(super) moments: &'a mut Vec<Moments<B>>,
    pub(super) position: usize,
    pub(super) square_sums: Vec<Tensor<B, 1>>,
    pub(super) clip_weights: f64,
    pub(super) measure: bool,
}

/// Dimension by dimension: burn-cubecl adds up a whole tensor in an order that changes from run to run, and Mesa's llvmpipe ends loops after 65,535
/// rounds, which a flat gradient would go beyond.
fn square_sum<B: Backend, const D: usize>(gradient: Tensor<B, D>) -> Tensor<B, 1> {
    let square = (0..D).fold(gradient.square(), |sum, dimension| sum.sum_dim(dimension));
    square.reshape([1])
}

/// The sum of squares of each trainable parameter's gradient, `[parameters]`.
pub(super) fn square_sums<A: AutodiffBackend, M: Module<A>>(
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
pub(super) fn clip_scale<B: Backend>(square_sums: Tensor<B, 1>, most: f64) -> Tensor<B, 1> {
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
