//! How much there is to multiply, and with how many weights.

use crate::{NetworkConfig, NetworkKind};

/// A layer that is a matrix product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerCost {
    /// Multiply-adds for one image, forward.
    pub products: u64,
    /// Values of its weight, without the bias.
    pub weights: u64,
}

/// The layers of both networks that are matrix products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// From z to the image.
    pub generator: Vec<LayerCost>,
    /// From the image to the logit.
    pub discriminator: Vec<LayerCost>,
}

impl Cost {
    /// Floating-point operations of a training step, a multiply-add counted as two: what no lowering can leave out.
    ///
    /// Each discriminator update sees generated and real images; gradients go to all weights, and to all inputs but z and the
    /// discriminator's images. The generator's update goes forward and back through the discriminator to the images.
    pub fn step_operations(&self, batch: usize, discriminator_updates: usize) -> f64 {
        let total = |layers: &[LayerCost]| layers.iter().map(|layer| layer.products).sum::<u64>();
        let first = |layers: &[LayerCost]| layers.first().map_or(0, |layer| layer.products);
        let (generator, discriminator) = (total(&self.generator), total(&self.discriminator));
        let of_discriminator = 2 * (3 * discriminator - first(&self.discriminator));
        let of_generator = 3 * generator - first(&self.generator) + 2 * discriminator;
        let updates = discriminator_updates as u64;
        let again = updates.saturating_sub(1) * generator;
        (2 * batch as u64 * (updates * of_discriminator + of_generator + again)) as f64
    }
}

impl NetworkConfig {
    /// Counts the multiply-adds and weights of the layers, without building them.
    pub fn cost(&self) -> Cost {
        let dense = |inputs: usize, outputs: usize| LayerCost {
            products: (inputs * outputs) as u64,
            weights: (inputs * outputs) as u64,
        };
        // Either way, each pixel of the smaller image meets a whole kernel.
        let conv = |side: usize, inputs: usize, outputs: usize, kernel: usize| {
            let weights = (inputs * outputs * kernel * kernel) as u64;
            LayerCost {
                products: (side * side) as u64 * weights,
                weights,
            }
        };
        let (latent, base) = (self.latent_size, self.base_channels);
        match self.kind {
            NetworkKind::Blog => Cost {
                generator: vec![
                    dense(latent, 3 * 3 * 512),
                    conv(3, 512, 256, 3),
                    conv(7, 256, 128, 2),
                    conv(14, 128, 64, 2),
                    conv(28, 64, 1, 1),
                ],
                discriminator: vec![
                    conv(13, 1, 64, 4),
                    conv(4, 64, 128, 4),
                    conv(1, 128, 256, 4),
                    dense(256, 1),
                ],
            },
            NetworkKind::Dcgan => {
                let levels = crate::dcgan::levels(self.image.height);
                let channels = self.image.channels;
                let side = |level: usize| self.image.height >> level;
                let width = |level: usize| if level == 0 { channels } else { base << (level - 1) };
                let features = side(levels) * side(levels) * width(levels);
                let down: Vec<LayerCost> = (1..=levels)
                    .map(|level| conv(side(level), width(level - 1), width(level), 4))
                    .collect();
                Cost {
                    generator: [dense(latent, features)]
                        .into_iter()
                        .chain(down.iter().rev().copied())
                        .collect(),
                    discriminator: down.iter().copied().chain([dense(features, 1)]).collect(),
                }
            }
            NetworkKind::Mlp => {
                let widths = |ends: [usize; 2], hidden: &[usize]| {
                    let all: Vec<usize> = [ends[0]].iter().chain(hidden).chain([&ends[1]]).copied().collect();
                    all.windows(2)
                        .map(|pair| dense(pair[0], pair[1]))
                        .collect::<Vec<LayerCost>>()
                };
                let reversed: Vec<usize> = self.hidden_sizes.iter().rev().copied().collect();
                Cost {
                    generator: widths([latent, self.image.len()], &self.hidden_sizes),
                    discriminator: widths([self.image.len(), 1], &reversed),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageShape;

    #[test]
    fn the_blog_networks_step_is_that_of_the_hand_count() {
        let cost = NetworkConfig::new(NetworkKind::Blog, ImageShape::new(1, 28, 28)).cost();
        assert_eq!(cost.generator[1].products, 10_616_832);
        assert_eq!(
            cost.discriminator.iter().map(|layer| layer.products).sum::<u64>(),
            173_056 + 2_097_152 + 524_288 + 256
        );
        // 94 million multiply-adds an image.
        let image = cost.step_operations(1, 1) / 2.0;
        assert!((93e6..95e6).contains(&image), "{image}");
        assert_eq!(cost.step_operations(256, 1), 256.0 * cost.step_operations(1, 1));
    }

    #[test]
    fn generator_and_discriminator_of_a_dcgan_mirror_each_other() {
        for side in [28, 32] {
            let config = NetworkConfig::new(NetworkKind::Dcgan, ImageShape::new(3, side, side));
            let Cost {
                generator,
                discriminator,
            } = config.cost();
            let reversed: Vec<LayerCost> = generator[1..].iter().rev().copied().collect();
            assert_eq!(reversed, discriminator[..discriminator.len() - 1]);
        }
    }
}
