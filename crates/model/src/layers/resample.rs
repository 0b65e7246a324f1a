//! Twice or half as many pixels a side.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::{
    activation::Activation,
    feature_map::FeatureMap,
    fused::{fused_layers, primitive, tensor},
    pass::Pass,
    pixel_map::PixelMap,
};

/// A side's map as a matrix for each of so many products, `[count, outputs, inputs]`.
fn matrices<B: Backend>(map: &PixelMap, side: usize, count: usize, device: &B::Device) -> Tensor<B, 3> {
    let (outputs, inputs) = (map.sides()[side].len(), map.size()[side]);
    let mut matrix = vec![0.0; outputs * inputs];
    for (to, from) in map.sides()[side].iter().enumerate() {
        for &(place, weight) in from {
            matrix[to * inputs + place] = weight;
        }
    }
    Tensor::<B, 3>::from_data(TensorData::new(matrix, [1, outputs, inputs]), device).expand([count, outputs, inputs])
}

/// Applies the map.
///
/// # Shapes
/// - pixels: `[channels, inputs, batch]`
/// - result: `[channels, outputs, batch]`
fn apply<B: Backend>(map: &Arc<PixelMap>, pixels: Tensor<B, 3>) -> Tensor<B, 3> {
    let device = pixels.device();
    if let Some(layers) = fused_layers::<B>(&device) {
        return tensor(layers.map_pixels(primitive(pixels), map.clone()));
    }
    let [channels, _, batch] = pixels.dims();
    let [height, width] = map.size();
    let [rows, columns] = [0, 1].map(|side| map.sides()[side].len());
    let by_rows = matrices(map, 0, channels, &device).matmul(pixels.reshape([channels, height, width * batch]));
    matrices(map, 1, channels * rows, &device)
        .matmul(by_rows.reshape([channels * rows, width, batch]))
        .reshape([channels, rows * columns, batch])
}
/// Halves the sides of feature maps ([`PixelMap::halving`]).
pub fn halve<B: Backend>(input: FeatureMap<B>, pass: &mut Pass<B>) -> FeatureMap<B> {
    let [height, width] = input.size();
    resample(input, PixelMap::halving([height, width]), [height / 2, width / 2], pass)
}

/// Doubles the sides of feature maps ([`PixelMap::doubling`]).
pub fn double<B: Backend>(input: FeatureMap<B>, pass: &mut Pass<B>) -> FeatureMap<B> {
    let [height, width] = input.size();
    resample(
        input,
        PixelMap::doubling([height, width]),
        [2 * height, 2 * width],
        pass,
    )
}

fn resample<B: Backend>(input: FeatureMap<B>, map: PixelMap, size: [usize; 2], pass: &mut Pass<B>) -> FeatureMap<B> {
    let map = Arc::new(map);
    let output = apply(&map, input.into_image_order().into_tensor());
    let [channels, pixels, _] = output.dims();
    pass.count_outputs(channels * pixels);
    let back = Arc::new(map.transposed());
    pass.record(&output, Activation::Identity, move |gradient| apply(&back, gradient));
    FeatureMap::from_tensor(output, size)
}
