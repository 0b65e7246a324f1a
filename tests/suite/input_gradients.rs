//! Networks whose gradient with respect to the images penalties can be exact of, and those that are refused.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    Activation, Conv2d, ConvConfig, DcganConfig, Discriminator, FeatureMap, ImageShape, Init, Labels, Linear,
    ModelError, NetworkConfig, Networks, Normalization, Pass, ResnetConfig, check_input_gradient,
};

use crate::{B, device};

/// A discriminator of one's own that does more than its layers say.
#[derive(Module, Debug)]
struct Own<B: Backend> {
    input: Conv2d<B>,
    output: Linear<B>,
    between: usize,
}

/// What it does beside its layers.
#[derive(Clone, Copy)]
enum Between {
    Nothing,
    /// Keeps the shape.
    Doubled,
    /// Adds up the pixels of both halves.
    Halved,
    /// Has no layers at all.
    NoLayers,
}

impl<B: Backend> Discriminator<B> for Own<B> {
    fn image_shape(&self) -> ImageShape {
        ImageShape::new(1, 8, 8)
    }

    fn forward_pass(&self, images: Tensor<B, 4>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let batch = images.dims()[0];
        if self.between == Between::NoLayers as usize {
            return images.mean_dim(1).mean_dim(2).mean_dim(3).reshape([batch, 1]);
        }
        let leaky = Activation::LeakyRelu { slope: 0.1 };
        let mut x = self.input.forward(FeatureMap::from_images(images), leaky, pass);
        if self.between == Between::Doubled as usize {
            x = x.map(|pixels| pixels * 2.0);
        }
        if self.between == Between::Halved as usize {
            let logits =
                self.output
                    .forward_pixels(x.into_tensor().reshape([48, 1, batch]), Activation::Identity, pass);
            return Tensor::cat(vec![logits.clone(), logits], 1)
                .sum_dim(1)
                .reshape([batch, 1]);
        }
        self.output.forward_flattened(x, pass).reshape([batch, 1])
    }
}

#[test]
fn networks_whose_gradient_is_not_all_in_their_layers_are_refused() {
    let (mut rng, device) = (keyed_rng(3, Purpose::DiscriminatorWeights, 0), device());
    let own = |between: Between| {
        let mut rng = keyed_rng(3, Purpose::DiscriminatorWeights, 0);
        let init = &mut Init::<B>::new(&mut rng, &device);
        Own {
            input: Conv2d::new(ConvConfig::new([1, 3], 4, 2).with_padding(1), init),
            output: Linear::new([3 * 16, 1], true, init),
            between: between as usize,
        }
    };
    check_input_gradient(&own(Between::Nothing), &mut rng, &device).unwrap();
    for between in [Between::Doubled, Between::Halved, Between::NoLayers] {
        let error = check_input_gradient(&own(between), &mut rng, &device).unwrap_err();
        assert!(error.to_string().contains("an operation between the layers"), "{error}");
    }
    for config in [
        NetworkConfig::Dcgan(DcganConfig {
            base_channels: 2,
            discriminator_normalization: Normalization::None,
            minibatch_stddev: true,
            ..DcganConfig::default()
        }),
        NetworkConfig::Resnet(ResnetConfig {
            base_channels: 2,
            most_channels: 4,
            minibatch_stddev: true,
            packing: 2,
            ..ResnetConfig::default()
        }),
    ] {
        let init = &mut Init::<B>::new(&mut rng, &device);
        let discriminator = config.discriminator(ImageShape::new(1, 28, 28).into(), init).unwrap();
        check_input_gradient(&discriminator, &mut keyed_rng(3, Purpose::Objective, 0), &device).unwrap();
    }
    let with_batch_norm = [
        DcganConfig::default().into(),
        NetworkConfig::Blog(ganvas_model::BlogConfig::default()),
    ];
    for config in with_batch_norm {
        let init = &mut Init::<B>::new(&mut rng, &device);
        let discriminator = config.discriminator(ImageShape::new(1, 28, 28).into(), init).unwrap();
        let mut rng = keyed_rng(3, Purpose::Objective, 0);
        let error = check_input_gradient(&discriminator, &mut rng, &device).unwrap_err();
        assert!(matches!(error, ModelError::NoInputGradient { .. }));
        assert!(error.to_string().contains("batch normalization"), "{error}");
    }
}
