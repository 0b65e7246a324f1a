//! Objectives that add up.

use std::fmt;

use burn::tensor::{Tensor, backend::AutodiffBackend};

use super::{
    batch::Batch,
    report::Report,
    traits::{DiscriminatorLoss, Objective},
};
use crate::BufferUpdates;

/// A weight and an objective.
type Part<'a, B, G, D> = (f64, Box<dyn Objective<B, G, D> + 'a>);

/// Several objectives, each times its weight: an adversarial loss and penalties. It is an objective itself.
///
/// The buffer updates of all parts are applied; a penalty should give none. Parts that report the same name overwrite each other.
pub struct WeightedSum<'a, B, G, D> {
    parts: Vec<Part<'a, B, G, D>>,
}

impl<B: AutodiffBackend, G, D> fmt::Debug for WeightedSum<'_, B, G, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.parts).finish()
    }
}

impl<'a, B: AutodiffBackend, G, D> WeightedSum<'a, B, G, D> {
    /// A sum that begins with one part, of weight 1.
    pub fn new(first: impl Objective<B, G, D> + 'a) -> Self {
        Self {
            parts: vec![(1.0, Box::new(first))],
        }
    }

    /// Adds `weight` times another part.
    pub fn and(mut self, weight: f64, part: impl Objective<B, G, D> + 'a) -> Self {
        self.parts.push((weight, Box::new(part)));
        self
    }
}

/// The sum of losses times their weights; a weight of 1 costs nothing.
fn weighted_sum<B: AutodiffBackend>(losses: impl Iterator<Item = (f64, Tensor<B, 1>)>) -> Option<Tensor<B, 1>> {
    losses
        .map(|(weight, loss)| if weight == 1.0 { loss } else { loss * weight })
        .reduce(|sum, loss| sum + loss)
}

impl<B: AutodiffBackend, G, D> Objective<B, G, D> for WeightedSum<'_, B, G, D> {
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        let device = fake.device();
        let mut updates = BufferUpdates::default();
        let losses = self.parts.iter().map(|(weight, part)| {
            let of_part = part.discriminator(discriminator, batch, fake.clone(), report);
            updates.append(of_part.updates);
            (*weight, of_part.loss)
        });
        let loss = weighted_sum(losses).unwrap_or_else(|| Tensor::zeros([1], &device));
        DiscriminatorLoss { loss, updates }
    }

    fn generator(
        &self,
        generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        let device = fake.device();
        let losses = self.parts.iter().map(|(weight, part)| {
            (
                *weight,
                part.generator(generator, discriminator, batch, fake.clone(), report),
            )
        });
        weighted_sum(losses).unwrap_or_else(|| Tensor::zeros([1], &device))
    }
}
