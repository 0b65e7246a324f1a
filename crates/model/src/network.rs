//! The networks by name, behind one generator and one discriminator type.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::{
    BatchStatistics, BlogDiscriminator, BlogGenerator, DcganDiscriminator, DcganGenerator, ImageShape, Initialization,
    MlpDiscriminator, MlpGenerator, ModelError,
};

/// The families of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// The Keras blog post's pair, 28×28, one channel.
    Blog,
    /// DCGAN, scaled by `base_channels`, 28×28 or 32×32, one or three channels.
    Dcgan,
    /// Fully connected pair, any image.
    Mlp,
}

impl NetworkKind {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Blog, Self::Dcgan, Self::Mlp];

    /// The name in TOML files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blog => "blog",
            Self::Dcgan => "dcgan",
            Self::Mlp => "mlp",
        }
    }
}

/// What a generator and a discriminator are built from.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkConfig {
    /// The family.
    pub kind: NetworkKind,
    /// The images.
    pub image: ImageShape,
    /// Random numbers an image (the length of z), usually 64 to 128.
    pub latent_size: usize,
    /// Width of the layer nearest to the image, usually 16 to 128; `dcgan` only.
    pub base_channels: usize,
    /// Widths of the generator's hidden layers; the discriminator has them in reverse order; `mlp` only.
    pub hidden_sizes: Vec<usize>,
    /// First values of the kernels.
    pub initialization: Initialization,
}

impl NetworkConfig {
    /// The usual sizes: 100 latent numbers, 64 base channels, two hidden layers, and the family's own initialization.
    pub fn new(kind: NetworkKind, image: ImageShape) -> Self {
        Self {
            kind,
            image,
            latent_size: 100,
            base_channels: 64,
            hidden_sizes: vec![256, 512],
            initialization: match kind {
                NetworkKind::Blog => Initialization::GlorotUniform,
                NetworkKind::Dcgan => Initialization::Dcgan,
                NetworkKind::Mlp => Initialization::He,
            },
        }
    }

    /// Sets the length of z.
    pub fn with_latent_size(self, latent_size: usize) -> Self {
        Self { latent_size, ..self }
    }

    /// Sets the width of a `dcgan`.
    pub fn with_base_channels(self, base_channels: usize) -> Self {
        Self { base_channels, ..self }
    }

    /// Sets the hidden layers of an `mlp`.
    pub fn with_hidden_sizes(self, hidden_sizes: Vec<usize>) -> Self {
        Self { hidden_sizes, ..self }
    }

    /// Sets the first values of the kernels.
    pub fn with_initialization(self, initialization: Initialization) -> Self {
        Self { initialization, ..self }
    }

    /// Checks that the family can be built with these sizes.
    ///
    /// # Errors
    /// [`ModelError::Config`] naming the hyperparameter, what was given and what would do.
    pub fn validate(&self) -> Result<(), ModelError> {
        let error = |key, found: String, expected: &str| {
            Err(ModelError::Config {
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        if self.latent_size == 0 {
            return error("latent_size", "0".into(), "at least 1");
        }
        let ImageShape {
            channels,
            height,
            width,
        } = self.image;
        let image = format!("{channels}×{height}×{width}");
        match self.kind {
            NetworkKind::Blog if self.image != ImageShape::new(1, 28, 28) => error(
                "image",
                image,
                "1×28×28 (channels × height × width) for the blog network",
            ),
            NetworkKind::Dcgan if height != width || ![28, 32].contains(&height) || ![1, 3].contains(&channels) => {
                error("image", image, "28×28 or 32×32 pixels in 1 or 3 channels for dcgan")
            }
            NetworkKind::Dcgan if self.base_channels == 0 => error("base_channels", "0".into(), "at least 1"),
            NetworkKind::Mlp if self.hidden_sizes.is_empty() || self.hidden_sizes.contains(&0) => error(
                "hidden_sizes",
                format!("{:?}", self.hidden_sizes),
                "at least one layer, each at least 1 wide",
            ),
            _ => Ok(()),
        }
    }

    /// Builds the generator; the same random numbers give the same weights on every backend.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn generator<B: Backend>(&self, rng: &mut dyn RngCore, device: &B::Device) -> Result<Generator<B>, ModelError> {
        self.validate()?;
        let (latent, initialization) = (self.latent_size, self.initialization);
        Ok(match self.kind {
            NetworkKind::Blog => Generator::Blog(BlogGenerator::new(latent, initialization, rng, device)),
            NetworkKind::Dcgan => Generator::Dcgan(DcganGenerator::new(
                latent,
                self.base_channels,
                self.image,
                initialization,
                rng,
                device,
            )),
            NetworkKind::Mlp => Generator::Mlp(MlpGenerator::new(
                latent,
                &self.hidden_sizes,
                self.image,
                initialization,
                rng,
                device,
            )),
        })
    }

    /// Builds the discriminator; the same random numbers give the same weights on every backend.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn discriminator<B: Backend>(
        &self,
        rng: &mut dyn RngCore,
        device: &B::Device,
    ) -> Result<Discriminator<B>, ModelError> {
        self.validate()?;
        let initialization = self.initialization;
        Ok(match self.kind {
            NetworkKind::Blog => Discriminator::Blog(BlogDiscriminator::new(initialization, rng, device)),
            NetworkKind::Dcgan => Discriminator::Dcgan(DcganDiscriminator::new(
                self.base_channels,
                self.image,
                initialization,
                rng,
                device,
            )),
            NetworkKind::Mlp => {
                let hidden: Vec<usize> = self.hidden_sizes.iter().rev().copied().collect();
                Discriminator::Mlp(MlpDiscriminator::new(&hidden, self.image, initialization, rng, device))
            }
        })
    }
}

/// A generator of any family.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // There are one or two of them in a program.
pub enum Generator<B: Backend> {
    /// See [`BlogGenerator`].
    Blog(BlogGenerator<B>),
    /// See [`DcganGenerator`].
    Dcgan(DcganGenerator<B>),
    /// See [`MlpGenerator`].
    Mlp(MlpGenerator<B>),
}

impl<B: Backend> Generator<B> {
    /// Images from noise.
    ///
    /// # Shapes
    /// - z: `[batch, latent]`
    /// - result: `[batch, channels, height, width]`
    pub fn forward(&self, z: Tensor<B, 2>) -> Tensor<B, 4> {
        self.forward_training(z).0
    }

    /// Images from noise, with the batch statistics to [`track`](Self::track).
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_training(&self, z: Tensor<B, 2>) -> (Tensor<B, 4>, BatchStatistics<B>) {
        let mut seen = BatchStatistics::default();
        let images = match self {
            Self::Blog(network) => network.forward(z, &mut seen),
            Self::Dcgan(network) => network.forward(z, &mut seen),
            Self::Mlp(network) => network.forward(z),
        };
        (images, seen)
    }

    /// Moves the running statistics with those of a batch.
    pub fn track(mut self, seen: BatchStatistics<B>) -> Self {
        match &mut self {
            Self::Blog(network) => network.track(seen),
            Self::Dcgan(network) => network.track(seen),
            Self::Mlp(_) => {}
        }
        self
    }
}

/// A discriminator of any family.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // There are one or two of them in a program.
pub enum Discriminator<B: Backend> {
    /// See [`BlogDiscriminator`].
    Blog(BlogDiscriminator<B>),
    /// See [`DcganDiscriminator`].
    Dcgan(DcganDiscriminator<B>),
    /// See [`MlpDiscriminator`].
    Mlp(MlpDiscriminator<B>),
}

impl<B: Backend> Discriminator<B> {
    /// Logits: above zero for what it takes to be real.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`
    /// - result: `[batch, 1]`
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        self.forward_training(images).0
    }

    /// Logits, with the batch statistics to [`track`](Self::track).
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_training(&self, images: Tensor<B, 4>) -> (Tensor<B, 2>, BatchStatistics<B>) {
        let mut seen = BatchStatistics::default();
        let logits = match self {
            Self::Blog(network) => network.forward(images, &mut seen),
            Self::Dcgan(network) => network.forward(images, &mut seen),
            Self::Mlp(network) => network.forward(images),
        };
        (logits, seen)
    }

    /// Moves the running statistics with those of a batch.
    pub fn track(mut self, seen: BatchStatistics<B>) -> Self {
        match &mut self {
            Self::Blog(network) => network.track(seen),
            Self::Dcgan(network) => network.track(seen),
            Self::Mlp(_) => {}
        }
        self
    }
}
