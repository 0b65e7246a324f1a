//! What generators say of themselves, computed by Burn's own operations.

use burn::{
    module::Module,
    tensor::{
        Int, Tensor, TensorData, activation,
        backend::Backend,
        module::{conv_transpose2d, conv2d},
        ops::{ConvOptions, ConvTransposeOptions},
    },
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    Activation, DataShape, Generator, Graph, GraphBuilder, ImageShape, Init, Labels, Linear, ModelError, NamedTensor,
    NetworkConfig, Networks, Operation, Pass, Value, Weights, apply_named_tensors, named_tensors,
};
use proptest::prelude::*;

use crate::{
    Inner, device,
    golden::{pattern_tensor, values},
};

type Image = Tensor<Inner, 4>;

/// Computes a graph.
struct Computer<'a> {
    graph: &'a Graph,
    z: Tensor<Inner, 2>,
    classes: Tensor<Inner, 1, Int>,
}

/// A value of either rank.
#[derive(Clone)]
enum Computed {
    Rows(Tensor<Inner, 2>),
    Images(Image),
}

impl Computed {
    fn rows(self) -> Tensor<Inner, 2> {
        match self {
            Self::Rows(rows) => rows,
            Self::Images(images) => panic!("expected rows, found {:?}", images.dims()),
        }
    }

    fn images(self) -> Image {
        match self {
            Self::Images(images) => images,
            Self::Rows(rows) => panic!("expected images, found {:?}", rows.dims()),
        }
    }

    fn map(self, rows: impl Fn(Tensor<Inner, 2>) -> Tensor<Inner, 2>, images: impl Fn(Image) -> Image) -> Self {
        match self {
            Self::Rows(tensor) => Self::Rows(rows(tensor)),
            Self::Images(tensor) => Self::Images(images(tensor)),
        }
    }
}

fn activate<const D: usize>(kind: Activation, x: Tensor<Inner, D>) -> Tensor<Inner, D> {
    match kind {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        Activation::LeakyRelu { slope } => activation::leaky_relu(x, f64::from(slope)),
        Activation::Tanh => activation::tanh(x),
    }
}

impl Computer<'_> {
    fn tensor<const D: usize>(&self, name: &str) -> Tensor<Inner, D> {
        let tensor = self.graph.tensor(name).unwrap();
        Tensor::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), &device())
    }

    fn by_channel(&self, name: &str) -> Image {
        let vector: Tensor<Inner, 1> = self.tensor(name);
        let channels = vector.dims()[0];
        vector.reshape([1, channels, 1, 1])
    }

    fn bias(&self, weights: &Weights) -> Option<Tensor<Inner, 1>> {
        weights.bias.as_ref().map(|bias| self.tensor(bias))
    }

    fn linear(&self, x: Tensor<Inner, 2>, weights: &Weights) -> Tensor<Inner, 2> {
        let product = x.matmul(self.tensor::<2>(&weights.weight).transpose());
        match self.bias(weights) {
            Some(bias) => product + bias.unsqueeze(),
            None => product,
        }
    }

    fn of_class(&self, name: &str) -> Tensor<Inner, 2> {
        self.tensor::<2>(name).select(0, self.classes.clone())
    }

    fn compute(&self) -> Image {
        let mut made: Vec<Computed> = Vec::new();
        for node in &self.graph.nodes {
            let input = |number: usize| match node.inputs[number].node() {
                Some(node) => made[node].clone(),
                None => Computed::Rows(self.z.clone()),
            };
            let result = match &node.operation {
                Operation::Linear(weights) => Computed::Rows(self.linear(input(0).rows(), weights)),
                Operation::PixelLinear(weights) => {
                    let x = input(0).images().permute([0, 2, 3, 1]);
                    let [batch, height, width, channels] = x.dims();
                    let pixels = self.linear(x.reshape([batch * height * width, channels]), weights);
                    let channels = pixels.dims()[1];
                    let images = pixels.reshape([batch, height, width, channels]).permute([0, 3, 1, 2]);
                    Computed::Images(images)
                }
                Operation::Conv {
                    weights,
                    stride,
                    padding,
                } => Computed::Images(conv2d(
                    input(0).images(),
                    self.tensor(&weights.weight),
                    self.bias(weights),
                    ConvOptions::new([*stride; 2], [*padding; 2], [1, 1], 1),
                )),
                Operation::ConvTranspose {
                    weights,
                    stride,
                    padding,
                } => Computed::Images(conv_transpose2d(
                    input(0).images(),
                    self.tensor(&weights.weight),
                    self.bias(weights),
                    ConvTransposeOptions::new([*stride; 2], [*padding; 2], [0, 0], [1, 1], 1),
                )),
                Operation::BatchNorm {
                    scale,
                    shift,
                    mean,
                    variance,
                    epsilon,
                } => {
                    let deviation = (self.by_channel(variance) + *epsilon).sqrt();
                    let normal = (input(0).images() - self.by_channel(mean)) / deviation;
                    Computed::Images(normal * self.by_channel(scale) + self.by_channel(shift))
                }
                Operation::LayerNorm { scale, shift, epsilon } => {
                    let x = input(0).images();
                    let shape = x.dims();
                    let flat: Tensor<Inner, 2> = x.reshape([shape[0], shape[1] * shape[2] * shape[3]]);
                    let centred = flat.clone() - flat.mean_dim(1);
                    let variance = centred.clone().powf_scalar(2.0).mean_dim(1);
                    let normal = (centred / (variance + *epsilon).sqrt()).reshape(shape);
                    Computed::Images(normal * self.by_channel(scale) + self.by_channel(shift))
                }
                Operation::Activation(kind) => input(0).map(|x| activate(*kind, x), |x| activate(*kind, x)),
                Operation::Unflatten {
                    size: [height, width],
                    channels_last,
                } => {
                    let x = input(0).rows();
                    let [batch, features] = x.dims();
                    let channels = features / (height * width);
                    Computed::Images(match channels_last {
                        true => x.reshape([batch, *height, *width, channels]).permute([0, 3, 1, 2]),
                        false => x.reshape([batch, channels, *height, *width]),
                    })
                }
                Operation::Embedding { weight } => Computed::Rows(self.of_class(weight)),
                Operation::ClassAffine { gain, shift } => {
                    let [gain, shift] = [gain, shift].map(|name| {
                        let rows = self.of_class(name);
                        let [batch, channels] = rows.dims();
                        rows.reshape([batch, channels, 1, 1])
                    });
                    Computed::Images(input(0).images() * (gain + 1.0) + shift)
                }
                Operation::Add => match (input(0), input(1)) {
                    (Computed::Rows(one), Computed::Rows(two)) => Computed::Rows(one + two),
                    (one, two) => Computed::Images(one.images() + two.images()),
                },
                Operation::Basis {
                    weight,
                    size: [height, width],
                } => {
                    let x = input(0).rows();
                    let [batch, channels] = x.dims();
                    let basis: Tensor<Inner, 2> = self.tensor(weight);
                    let basis = basis.reshape([1, channels, *height, *width]);
                    Computed::Images(basis * x.reshape([batch, channels, 1, 1]))
                }
                Operation::Double => {
                    let x = input(0).images();
                    let channels = x.dims()[1];
                    let taps = [0.25_f32, 0.75, 0.75, 0.25];
                    let kernel: Vec<f32> = taps.iter().flat_map(|row| taps.map(|column| row * column)).collect();
                    let kernel = TensorData::new(kernel.repeat(channels), [channels, 1, 4, 4]);
                    let options = ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], channels);
                    Computed::Images(conv_transpose2d(x, Tensor::from_data(kernel, &device()), None, options))
                }
            };
            made.push(result);
        }
        made[self.graph.output.node().unwrap()].clone().images()
    }
}

/// Values that no layer begins with: scales, shifts and running statistics that matter, weights that are not zero.
fn stirred(tensors: Vec<NamedTensor>) -> Vec<NamedTensor> {
    let stir = |(number, tensor): (usize, NamedTensor)| {
        let wave = |index: usize| ((index * 7 + number * 13) as f32 * 0.61).sin();
        let is_variance = tensor.name.ends_with("running_var");
        let values = tensor
            .values
            .iter()
            .enumerate()
            .map(|(index, value)| match is_variance {
                true => 1.0 + 0.5 * wave(index),
                false => value + 0.2 * wave(index),
            });
        NamedTensor {
            values: values.collect(),
            ..tensor
        }
    };
    tensors.into_iter().enumerate().map(stir).collect()
}

fn check(model: &str, data: DataShape, count: usize) {
    let config: NetworkConfig = toml::from_str(model).unwrap();
    let (mut rng, device) = (keyed_rng(5, Purpose::GeneratorWeights, 0), device());
    let generator = Networks::<Inner>::generator(&config, data, &mut Init::new(&mut rng, &device)).unwrap();
    let tensors = stirred(named_tensors(&generator));
    let generator = apply_named_tensors(generator, tensors).unwrap();
    let graph = Graph::of(&generator).unwrap();
    let z = pattern_tensor::<Inner, 2>(1, 1.0, [count, generator.latent_size()], &device);
    let last = data.classes.max(1) as i32 - 1;
    let classes: Vec<i32> = (0..count as i32)
        .map(|number| (last - number).rem_euclid(last + 1))
        .collect();
    let classes = Tensor::from_data(TensorData::new(classes, [count]), &device);
    let computer = Computer {
        graph: &graph,
        z: z.clone(),
        classes: classes.clone(),
    };
    let generate = |z: Tensor<Inner, 2>| values(generator.forward(z, Some(classes.clone())));
    let (found, expected) = (values(computer.compute()), generate(z.clone()));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
    // What 32 bits cannot tell apart: how far the images move where z does by the last bit. Layer normalizations of few values, one after the
    // other, make as much of it as 1.4e-5.
    let nudged = generate(z * (1.0 + f32::EPSILON));
    let moved = nudged.iter().zip(&expected).map(|(one, other)| (one - other).abs());
    let tolerance = (2e-5 * largest).max(4.0 * moved.fold(0.0, f32::max));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < tolerance, "{model}: {found} and {expected}");
    }
}

#[test]
fn a_generator_that_rounds_much_says_what_it_computes() {
    let model = "network = \"dcgan\"\nlatent_size = 7\nbase_channels = 3\ngenerator_normalization = \"layer\"\ngenerator_convolutions = 2\n";
    check(model, ImageShape::new(3, 64, 64).into(), 3);
}

#[test]
fn the_blogs_generator_says_what_it_computes() {
    // Burn's own transposed convolution takes long for it.
    check("network = \"blog\"", ImageShape::new(1, 28, 28).into(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn generators_say_what_they_compute(
        family in 0..3,
        classes in prop::sample::select(vec![0_usize, 2, 5]),
        channels in prop::sample::select(vec![1_usize, 3]),
        sides in prop::sample::select(vec![[16_usize, 16], [28, 28], [20, 32], [64, 64]]),
        normalization in prop::sample::select(vec!["batch", "layer", "none"]),
        count in 0..3_usize,
        widths in (1..5_usize, 0..4_usize),
    ) {
        let conditional = classes > 0;
        let model = match family {
            0 => format!(
                "network = \"dcgan\"\nlatent_size = 7\nbase_channels = {}\nconditional = {conditional}\n\
                 generator_normalization = \"{normalization}\"\ngenerator_convolutions = {count}\n",
                widths.0
            ),
            1 => format!(
                "network = \"resnet\"\nlatent_size = 7\nbase_channels = {}\nmost_channels = {}\nblocks = {}\n\
                 conditional = {conditional}\n",
                widths.0,
                widths.0 + widths.1,
                1 + count
            ),
            _ => format!("network = \"mlp\"\nlatent_size = 7\nhidden_sizes = [{}, 9]\n", widths.0),
        };
        let image = ImageShape::new(channels, sides[0], sides[1]);
        check(&model, DataShape { image, classes }, 3);
    }
}

/// A generator that says nothing, something wrong, or not all.
#[derive(Module, Debug)]
struct Own<B: Backend> {
    first: Linear<B>,
    second: Linear<B>,
    says: usize,
}

impl<B: Backend> Generator<B> for Own<B> {
    fn latent_size(&self) -> usize {
        self.first.inputs()
    }

    fn image_shape(&self) -> ImageShape {
        ImageShape::new(1, 2, 2)
    }

    fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
        let x = self.first.describe(graph, Value::Z, Activation::Relu);
        let size = [2, 2];
        let unflatten = Operation::Unflatten {
            size,
            channels_last: false,
        };
        match self.says {
            0 => None,
            1 => Some(graph.push(unflatten, [x])),
            2 => Some(self.second.describe(graph, x, Activation::Tanh)),
            3 => {
                graph.refuse("a layer of mine");
                Some(x)
            }
            _ => {
                let x = self.second.describe(graph, x, Activation::Tanh);
                Some(graph.push(unflatten, [x]))
            }
        }
    }

    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, _pass: &mut Pass<B>) -> Tensor<B, 4> {
        z.reshape([-1, 1, 2, 2])
    }
}

#[test]
fn networks_that_do_not_say_all_are_refused_by_what_is_missing() {
    let of = |says| {
        let (mut rng, device) = (keyed_rng(5, Purpose::GeneratorWeights, 0), device());
        let mut init = Init::<Inner>::new(&mut rng, &device);
        Graph::of(&Own {
            first: Linear::new([3, 4], true, &mut init),
            second: Linear::new([4, 4], true, &mut init),
            says,
        })
    };
    let refused = |says| match of(says) {
        Err(ModelError::NotDescribed { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(1), "the parameter `second.bias`");
    assert!(refused(2).starts_with("the last layer, whose shape"));
    assert_eq!(refused(3), "a layer of mine");
    assert!(of(4).is_ok());
    // Where nothing comes out, that is what counts.
    assert_eq!(refused(0), "the network");
}
