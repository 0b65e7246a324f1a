//! Residual networks without normalization, after R3GAN (Huang et al., 2024, arXiv:2501.05441), for small images.

mod block;
mod discriminator;
mod generator;

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::{
    conditional::{ClassHeadKind, check_classes, check_packing},
    traits::{NetworkSettings, Networks},
};
use crate::{DataShape, ImageShape, Init, ModelError, error::expect};

pub use discriminator::ResnetDiscriminator;
pub use generator::ResnetGenerator;

/// `[model]` with `network = "resnet"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ResnetConfig {
    /// Random numbers that an image is made of (the length of z), usually 64 to 256.
    pub latent_size: usize,
    /// Channels of the blocks at the image's own size, usually 16 to 128; each halving doubles them, up to `most_channels`.
    pub base_channels: usize,
    /// The most channels of a block, usually 64 to 512.
    pub most_channels: usize,
    /// Residual blocks at each size, usually 1 or 2.
    pub blocks: usize,
    /// How many times as many channels a block has inside, usually 1 or 2.
    pub expansion: usize,
    /// Images that the discriminator looks at together, all of them real or all generated (PacGAN; Lin et al., 2018, arXiv:1712.04086); usually 1, or
    /// 2 to 4 against generators that lose modes.
    pub packing: usize,
    /// Whether the discriminator is given how much the images of a batch differ (minibatch standard deviation, before its last layer; Karras et al.,
    /// 2018, arXiv:1710.10196): against generators that lose modes.
    pub minibatch_stddev: bool,
    /// Whether images are made of a class: the generator is given it, and the discriminator judges by it; takes images with labels.
    pub conditional: bool,
    /// How a conditional discriminator judges by the class.
    pub class_head: ClassHeadKind,
}

impl Default for ResnetConfig {
    fn default() -> Self {
        Self {
            latent_size: 64,
            base_channels: 32,
            most_channels: 128,
            blocks: 1,
            expansion: 2,
            packing: 1,
            minibatch_stddev: false,
            conditional: false,
            class_head: ClassHeadKind::Projection,
        }
    }
}

impl NetworkSettings for ResnetConfig {
    fn is_conditional(&self) -> bool {
        self.conditional
    }

    fn reads_classes(&self) -> Option<bool> {
        Some(self.conditional && self.class_head == ClassHeadKind::Classifier)
    }

    fn packing(&self) -> usize {
        self.packing
    }

    fn validate(&self, data: Option<DataShape>) -> Result<(), ModelError> {
        expect::latent_size(self.latent_size)?;
        expect::within("base_channels", self.base_channels, 2_048)?;
        if !(self.base_channels..=8_192).contains(&self.most_channels) {
            let expected = format!("`base_channels`, {}, to 8192", self.base_channels);
            return Err(ModelError::config(
                "most_channels",
                self.most_channels.to_string(),
                expected,
            ));
        }
        expect::within("blocks", self.blocks, 16)?;
        expect::within("expansion", self.expansion, 16)?;
        check_packing(self.packing, self.conditional)?;
        check_classes(self.conditional, self.class_head, data)?;
        match data {
            Some(DataShape { image, .. }) if halvings(image).is_none() || ![1, 3].contains(&image.channels) => {
                Err(expect::image(
                    image,
                    "1 or 3 channels and sides that are multiples of 4, 16 to 1024 pixels, for resnet",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Networks<B> for ResnetConfig {
    type Generator = ResnetGenerator<B>;
    type Discriminator = ResnetDiscriminator<B>;

    fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<ResnetGenerator<B>, ModelError> {
        self.validate(Some(data))?;
        Ok(ResnetGenerator::new(self, data, init))
    }

    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<ResnetDiscriminator<B>, ModelError> {
        self.validate(Some(data))?;
        Ok(ResnetDiscriminator::new(self, data, init))
    }
}

/// How often an image is halved: as often as both sides allow and leave at least 4 pixels. 28 becomes 7, 32 and 64 become 4.
fn halvings(image: ImageShape) -> Option<usize> {
    let fits = |side: usize, halvings: usize| side.is_multiple_of(1 << halvings) && side >> halvings >= 4;
    let sides = [image.height, image.width];
    (2..=8)
        .rev()
        .find(|&halvings| sides.into_iter().all(|side| side <= 1024 && fits(side, halvings)))
}

/// The sizes that the blocks stand at, from the smallest to the image's own.
struct Stages {
    /// Channels at each size.
    widths: Vec<usize>,
    /// Height and width of the smallest.
    start: [usize; 2],
}

impl Stages {
    fn of(config: &ResnetConfig, image: ImageShape) -> Self {
        // A shape without halvings is refused by `validate`.
        let halvings = halvings(image).unwrap_or(2);
        let width = |halving: usize| (config.base_channels << halving).min(config.most_channels);
        Self {
            widths: (0..=halvings).rev().map(width).collect(),
            start: [image.height >> halvings, image.width >> halvings],
        }
    }
}
