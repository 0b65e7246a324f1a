//! A GAN whose every part is its own: images, networks, objective and a number in the log, trained by ganvas.
//!
//! `cargo run --release --manifest-path examples/own_gan/Cargo.toml -- OUT_DIR STEPS` trains into OUT_DIR, or goes on there.

use std::{borrow::Cow, error::Error, path::PathBuf, sync::Arc};

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ganvas_data::{DataError, ImageSource};
use ganvas_model::*;
use ganvas_training::*;
use serde::{Deserialize, Serialize};

type Cpu = ganvas_backend::NdArray;
const IMAGE: ImageShape = ImageShape::new(1, 12, 16);

/// Images: slanted stripes, made when they are asked for.
#[derive(Debug)]
struct Stripes;

impl ImageSource for Stripes {
    fn name(&self) -> &str {
        "stripes"
    }
    fn len(&self) -> usize {
        1000
    }
    fn shape(&self) -> [usize; 3] {
        IMAGE.dims()
    }
    fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        let (phase, slope) = (index % 7, index / 7 % 3);
        let pixel = |at: usize| match (at % 16 + slope * (at / 16) + phase) / 4 % 2 {
            0 => 0,
            _ => 255,
        };
        Ok((0..12 * 16).map(pixel).collect())
    }
}

/// The section `[model]`, and what builds the networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pair {
    latent: usize,
    width: usize,
}

impl NetworkSettings for Pair {}

impl<B: Backend> Networks<B> for Pair {
    type Generator = Painter<B>;
    type Discriminator = Critic<B>;

    fn generator(&self, _data: DataShape, init: &mut Init<'_, B>) -> Result<Painter<B>, ModelError> {
        init.set_scheme(Initialization::He);
        Ok(Painter {
            features: Linear::new([self.latent, 3 * 4 * self.width], false, init),
            norm: BatchNorm::new(BatchNormConfig::PYTORCH, self.width, init),
            pixels: ConvTranspose2d::new(ConvConfig::new([self.width, 1], 4, 4), init),
        })
    }

    fn discriminator(&self, _data: DataShape, init: &mut Init<'_, B>) -> Result<Critic<B>, ModelError> {
        init.set_scheme(Initialization::He);
        Ok(Critic {
            patches: Conv2d::new(ConvConfig::new([1, self.width], 4, 4), init),
            logit: Linear::new([3 * 4 * self.width, 1], true, init),
        })
    }
}

#[derive(Module, Debug)]
struct Painter<B: Backend> {
    features: Linear<B>,
    norm: BatchNorm<B>,
    pixels: ConvTranspose2d<B>,
}

impl<B: Backend> Generator<B> for Painter<B> {
    fn latent_size(&self) -> usize {
        self.features.inputs()
    }
    fn image_shape(&self) -> ImageShape {
        IMAGE
    }
    fn forward_pass(&self, z: Tensor<B, 2>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
        let x = self.features.forward_features(columns(z), [3, 4], pass);
        let x = self.norm.forward(x, Activation::Relu, pass);
        self.pixels.forward(x, Activation::Tanh, pass).into_images()
    }
}

#[derive(Module, Debug)]
struct Critic<B: Backend> {
    patches: Conv2d<B>,
    logit: Linear<B>,
}

impl<B: Backend> Discriminator<B> for Critic<B> {
    fn image_shape(&self) -> ImageShape {
        IMAGE
    }
    fn forward_pass(&self, images: Tensor<B, 4>, _labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
        let batch = images.dims()[0];
        let leaky = Activation::LeakyRelu { slope: 0.2 };
        let x = self.patches.forward(FeatureMap::from_images(images), leaky, pass);
        self.logit.forward_flattened(x, pass).reshape([batch, 1])
    }
}

/// The section `[objective]`: least squares (Mao et al., 2017, equation 2), real images at `target`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct LeastSquares {
    target: f64,
}

impl ObjectiveSettings for LeastSquares {
    fn reports(&self) -> Vec<String> {
        vec!["distance/real".into()]
    }
}

impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for LeastSquares {
    fn discriminator(
        &self,
        critic: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        let (real, mut updates) = critic.forward_training(batch.images.clone(), None);
        let (fake, of_fake) = critic.forward_training(fake, None);
        updates.append(of_fake);
        let of_real = (real - self.target).square().mean();
        report.report("distance/real", of_real.clone().inner());
        let loss = (of_real + fake.square().mean()) / 2.0;
        DiscriminatorLoss { loss, updates }
    }

    fn generator(
        &self,
        _generator: &G,
        critic: &D,
        _batch: &Batch<B>,
        fake: Tensor<B, 4>,
        _report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        (critic.forward_training(fake, None).0 - self.target).square().mean() / 2.0
    }
}

/// A number in the log: how black and white the images are, 1 for stripes.
#[derive(Debug)]
struct Contrast;

impl<B: Backend, G: Generator<B>> Evaluator<B, G> for Contrast {
    fn reports(&self) -> Vec<String> {
        vec!["contrast".into()]
    }
    fn evaluate(&mut self, generator: &G, _step: u64, device: &B::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        let images = Sampler::for_evaluation(1, 64, generator.latent_size()).images(generator, device);
        let sum: f64 = images.iter().map(|&value| f64::from(value.abs())).sum();
        Ok(vec![("contrast".into(), sum / images.len() as f64)])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, out, steps] = &arguments[..] else {
        return Err("usage: own_gan OUT_DIR STEPS".into());
    };
    let (out, steps): (PathBuf, u64) = (out.into(), steps.parse()?);
    let text = format!(
        "[data]\ndataset = 'stripes'\nbatch_size = 32\n[model]\nlatent = 8\nwidth = 64\n[objective]\ntarget = 1.0\n\
         [optimizer]\ngenerator.learning_rate = 1e-3\ndiscriminator.learning_rate = 1e-3\n[ema]\ndecay = 0.99\n\
         [training]\nepochs = 1000000\nmax_steps = {steps}\n[evaluation]\nevery = 10\n[samples]\nevery = 0\n\
         [checkpoint]\nevery = 100\nbest = {{ metric = 'contrast', goal = 'max' }}\n"
    );
    let experiment: Experiment<Pair, LeastSquares> =
        parse_experiment(&text, "own_gan", "own_gan", &Overrides::default())?;

    ganvas_backend::prepare();
    let device = Default::default();
    let images: Arc<dyn ImageSource> = Arc::new(Stripes);
    let (run, resume) = begin_or_resume(&out, &experiment, &*images)?;
    let (resume, judges) = (resume.as_ref(), &mut [Box::new(Contrast) as Box<_>]);
    let outcome = train::<Cpu, _, _>(&experiment, &images, judges, &run, resume, &device, &mut ())?;

    let generator = Checkpoint::find(&out)?
        .sampling_generator::<<Cpu as AutodiffBackend>::InnerBackend, _>(&experiment.model, &device)?;
    let image = Sampler::new(1, 1, generator.latent_size()).images(&generator, &device);
    let shades = image
        .iter()
        .map(|&value| if value > 0.0 { '#' } else { '.' })
        .collect::<Vec<char>>();
    let rows: Vec<String> = shades.chunks(16).map(String::from_iter).collect();
    println!("{outcome:?}: {}\n{}", out.display(), rows.join("\n"));
    Ok(())
}
