//! Spectral normalization.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, backend::Backend},
};
use rand::Rng;
use rand_distr::StandardNormal;

use super::{init::Init, matrix::transposed, pass::Pass};
use crate::{GraphBuilder, host_values};

/// Power iterations on the first weights, as PyTorch has them.
const FIRST_ITERATIONS: usize = 15;

/// What lengths are held above, so that there is no division by zero.
const EPSILON: f64 = 1e-12;

/// Divides a layer's weights by their largest singular value, so that the layer's slope is at most 1 (Miyato et al., 2018, arXiv:1802.05957). The
/// singular vectors are followed by one power iteration in each pass of a training, as in PyTorch's `parametrizations.spectral_norm`, and kept as buffers; all passes
/// of one update begin at the same ones, so they move by one iteration an update.
#[derive(Module, Debug)]
pub struct SpectralNorm<B: Backend> {
    /// `[out]`, not trained.
    pub u: Param<Tensor<B, 1>>,
    /// `[in · taps]`, not trained.
    pub v: Param<Tensor<B, 1>>,
}

impl<B: Backend> SpectralNorm<B> {
    /// For weights `[out, …]`.
    pub fn new<const D: usize>(weight: &Param<Tensor<B, D>>, init: &mut Init<'_, B>) -> Self {
        let rows = weight.dims()[0];
        let columns = weight.shape().num_elements() / rows.max(1);
        let (mut u, mut v) = (vec![0.0; rows], vec![0.0; columns]);
        // Not of networks that are only looked at.
        if init.draws() {
            let values = host_values(weight.val());
            v.fill_with(|| init.rng().sample(StandardNormal));
            for _ in 0..FIRST_ITERATIONS {
                normalize(&mut v);
                for (row, u) in values.chunks_exact(columns).zip(&mut u) {
                    *u = row.iter().zip(&v).map(|(weight, v)| f64::from(*weight) * v).sum();
                }
                normalize(&mut u);
                v.fill(0.0);
                for (row, u) in values.chunks_exact(columns).zip(&u) {
                    for (v, weight) in v.iter_mut().zip(row) {
                        *v += f64::from(*weight) * u;
                    }
                }
            }
            normalize(&mut v);
        }
        Self {
            u: init.buffer_of(&u),
            v: init.buffer_of(&v),
        }
    }

    /// As [`apply`](Self::apply) where there is one, else the weights as they are.
    pub(super) fn apply_to(spectral: Option<&Self>, weight: Tensor<B, 2>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        match spectral {
            Some(spectral) => spectral.apply(weight, pass),
            None => weight,
        }
    }

    /// Generators have none, so no file for other programs has a word for it.
    pub(super) fn describe(spectral: Option<&Self>, graph: &mut GraphBuilder) {
        if spectral.is_some() {
            graph.refuse("spectral normalization");
        }
    }

    /// The weights over their largest singular value; in training after one more power iteration, which is pushed to `pass`.
    ///
    /// # Shapes
    /// - weight and result: `[out, in · taps]`
    pub fn apply(&self, weight: Tensor<B, 2>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let [rows, columns] = weight.dims();
        let mut u = self.u.val().reshape([rows, 1]);
        let mut v = self.v.val().reshape([columns, 1]);
        if pass.is_training() {
            let fixed = weight.clone().detach();
            u = unit(fixed.clone().matmul(v));
            v = unit(transposed(fixed).matmul(u.clone()));
            for (buffer, value) in [(&self.u, u.clone()), (&self.v, v.clone())] {
                // Every pass of an update begins at the same vectors, so they come to the same.
                pass.updates().push(buffer, move |old| value.reshape(old.dims()));
            }
        }
        let largest = transposed(u).matmul(weight.clone().matmul(v));
        // Of weights that are all zero it is nothing.
        weight / largest.clamp_min(EPSILON)
    }
}

/// A column of length 1.
fn unit<B: Backend>(column: Tensor<B, 2>) -> Tensor<B, 2> {
    let length = column.clone().square().sum_dim(0).sqrt();
    column / length.clamp_min(EPSILON)
}

fn normalize(vector: &mut [f64]) {
    let length = vector
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt()
        .max(EPSILON);
    vector.iter_mut().for_each(|value| *value /= length);
}
