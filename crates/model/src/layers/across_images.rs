//! What a discriminator sees of several images at once, against generators that make few kinds.

use burn::tensor::{Tensor, backend::Backend};

use super::{activation::Activation, feature_map::FeatureMap, pass::Pass};

/// The most images whose features are compared.
const GROUP: usize = 4;

/// Adds a channel with how much the features differ within groups of four images: the mean over channels and pixels of the standard deviation (Karras
/// et al., 2018, arXiv:1710.10196, section 3; groups as in StyleGAN2). Batches that are not a multiple of four have groups of three or two, or are one.
/// The gradient of a logit with respect to its image, as penalties take it, is that of the sum of all logits: an image also has a share in the others'
/// of its group, as in PyTorch with `autograd.grad(logits.sum(), images)`.
///
/// # Shapes
/// - input: `[channels, pixels, batch]`
/// - result: `[channels + 1, pixels, batch]`
pub fn minibatch_stddev<B: Backend>(input: FeatureMap<B>, pass: &mut Pass<B>) -> FeatureMap<B> {
    let input = input.into_image_order();
    let size = input.size();
    let features = input.into_tensor();
    let [channels, pixels, batch] = features.dims();
    pass.count_outputs((channels + 1) * pixels);
    let group = (2..=GROUP).rev().find(|&group| batch.is_multiple_of(group));
    let group = group.unwrap_or(batch);
    let groups = batch / group;
    let grouped = features.clone().reshape([channels, pixels, group, groups]);
    let centred = grouped.clone() - grouped.mean_dim(2);
    let deviation = (centred.clone().square().mean_dim(2) + 1e-8).sqrt();
    let mean = deviation.clone().mean_dim(1).mean_dim(0);
    let plane = mean.expand([1, pixels, group, groups]).reshape([1, pixels, batch]);
    let output = Tensor::cat(vec![features, plane], 0);
    pass.record(&output, Activation::Identity, move |gradient| {
        let of_plane = gradient.clone().narrow(0, channels, 1);
        let of_group = of_plane.reshape([1, pixels, group, groups]).sum_dim(1).sum_dim(2);
        // Each feature has a share in its group's mean, by how far it is from the middle. What the middle itself moves is nothing.
        let share = of_group / (channels * pixels * group) as f64;
        let through_deviation = centred * (share / deviation);
        gradient.narrow(0, 0, channels) + through_deviation.reshape([channels, pixels, batch])
    });
    FeatureMap::from_tensor(output, size)
}

/// Puts `count` images each into the channels of one, which is real or generated as a whole (PacGAN; Lin et al., 2018, arXiv:1712.04086). Images that
/// do not fill another are left out, so that none is seen twice; of fewer than `count`, all are taken again and again.
///
/// # Shapes
/// - input: `[channels, pixels, batch]`
/// - result: `[count · channels, pixels, max(1, ⌊batch / count⌋)]`
pub fn pack<B: Backend>(input: FeatureMap<B>, count: usize, pass: &mut Pass<B>) -> FeatureMap<B> {
    if count == 1 {
        return input;
    }
    let input = input.into_image_order();
    let size = input.size();
    let images = input.into_tensor();
    let [channels, pixels, batch] = images.dims();
    let packs = (batch / count).max(1);
    let all = packs * count;
    // Whole rounds of the images and a part of one.
    let rounds: Vec<usize> = (0..all).step_by(batch).map(|done| batch.min(all - done)).collect();
    let taken = rounds.iter().map(|&length| images.clone().narrow(2, 0, length));
    let packed = Tensor::cat(taken.collect(), 2)
        .reshape([channels, pixels, packs, count])
        .permute([3, 0, 1, 2])
        .reshape([count * channels, pixels, packs]);
    pass.count_outputs(count * channels * pixels);
    pass.record(&packed, Activation::Identity, move |gradient| {
        let of_all = gradient
            .reshape([count, channels, pixels, packs])
            .permute([1, 2, 3, 0])
            .reshape([channels, pixels, all]);
        let mut done = 0;
        let mut total = Tensor::zeros([channels, pixels, batch], &of_all.device());
        for length in rounds {
            let of_round = of_all.clone().narrow(2, done, length);
            let rest = Tensor::zeros([channels, pixels, batch - length], &of_all.device());
            total = total
                + if length == batch {
                    of_round
                } else {
                    Tensor::cat(vec![of_round, rest], 2)
                };
            done += length;
        }
        total
    });
    FeatureMap::from_tensor(packed, size)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::host_values;

    type Flex = burn_autodiff::Autodiff<burn_flex::Flex>;

    /// Features `[channels, pixels, batch]`, each value another.
    fn features([channels, pixels, batch]: [usize; 3]) -> FeatureMap<Flex> {
        let values: Vec<f32> = (0..channels * pixels * batch)
            .map(|index| ((index * index) % 17) as f32)
            .collect();
        let tensor = Tensor::from_data(TensorData::new(values, [channels, pixels, batch]), &Default::default());
        FeatureMap::from_tensor(tensor, [1, pixels])
    }

    #[test]
    fn the_added_channel_is_the_mean_deviation_within_each_group() {
        for (batch, group) in [(8, 4), (6, 3), (2, 2), (1, 1), (5, 5)] {
            let shape = [3, 2, batch];
            let before = host_values(features(shape).into_tensor());
            let found = minibatch_stddev(features(shape), &mut Pass::inference()).into_tensor();
            assert_eq!(found.dims(), [4, 2, batch]);
            let found = host_values(found);
            assert_eq!(found[..before.len()], before);
            let groups = batch / group;
            for image in 0..batch {
                // The images of a group stand `groups` apart.
                let members: Vec<usize> = (0..group).map(|member| member * groups + image % groups).collect();
                let mut total = 0.0_f64;
                for place in 0..6 {
                    let values: Vec<f64> = members
                        .iter()
                        .map(|image| f64::from(before[place * batch + image]))
                        .collect();
                    let mean = values.iter().sum::<f64>() / group as f64;
                    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / group as f64;
                    total += (variance + 1e-8).sqrt();
                }
                for pixel in 0..2 {
                    let of_image = f64::from(found[before.len() + pixel * batch + image]);
                    assert!((of_image - total / 6.0).abs() < 1e-4, "{of_image} {}", total / 6.0);
                }
            }
        }
    }

    #[test]
    fn its_adjoint_is_the_gradient_of_all_logits_together() {
        for batch in [8, 6, 2, 1, 5] {
            let _lock = crate::autodiff_lock();
            let weights: Tensor<Flex, 3> = features([4, 2, batch]).into_tensor() - 7.0;
            let input = features([3, 2, batch]).into_tensor().require_grad();
            let map = FeatureMap::from_tensor(input.clone(), [1, 2]);
            let output = minibatch_stddev(map, &mut Pass::inference()).into_tensor();
            let gradients = (output * weights.clone()).sum().backward();
            let expected = host_values(input.grad(&gradients).unwrap());

            let mut pass = Pass::recording();
            minibatch_stddev(features([3, 2, batch]), &mut pass);
            let (_, adjoint) = pass.into_recorded();
            let found = host_values(adjoint.apply(weights, [3, 2, batch]).unwrap());
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-4 * expected.abs().max(1.0),
                    "{found} {expected}"
                );
            }
        }
    }

    #[test]
    fn packed_images_lie_one_after_the_other_in_the_channels() {
        let shape = [2, 3, 5];
        let before = host_values(features(shape).into_tensor());
        let packed = pack(features(shape), 2, &mut Pass::inference());
        let tensor = packed.into_tensor();
        // The fifth image is left out.
        assert_eq!(tensor.dims(), [4, 3, 2]);
        let found = host_values(tensor);
        for (channel, pixel, place) in (0..4).flat_map(|c| (0..3).flat_map(move |p| (0..2).map(move |b| (c, p, b)))) {
            let image = 2 * place + channel / 2;
            let expected = before[(channel % 2 * 3 + pixel) * 5 + image];
            assert_eq!(found[(channel * 3 + pixel) * 2 + place], expected);
        }
        let alone = pack(features(shape), 1, &mut Pass::inference());
        assert_eq!(host_values(alone.into_tensor()), before);
        assert_eq!(
            pack(features([2, 3, 1]), 4, &mut Pass::inference())
                .into_tensor()
                .dims(),
            [8, 3, 1]
        );
    }
}
