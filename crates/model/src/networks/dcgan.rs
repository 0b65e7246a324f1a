//! A DCGAN family (Radford, Metz and Chintala, 2015) for small images, scaled by `base_channels`.

mod discriminator;
mod generator;
mod level;

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::{
    conditional::{ClassHeadKind, check_classes, check_packing},
    traits::{NetworkSettings, Networks},
};
use crate::{
    Activation, ConvConfig, DataShape, ImageShape, Init, Initialization, ModelError, Normalization, error::expect,
};

pub use discriminator::DcganDiscriminator;
pub use generator::DcganGenerator;

/// `[model]` with `network = "dcgan"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DcganConfig {
    /// Random numbers that an image is made of (the length of z), usually 64 to 256.
    pub latent_size: usize,
    /// Channels of the layer nearest to the image, usually 16 to 128; each halving of the image doubles them.
    pub base_channels: usize,
    /// 3×3 convolutions of the generator after its first layer and after each doubling but the last, usually 0 to 2: they let it draw more
    /// finely.
    pub generator_convolutions: usize,
    /// 3×3 convolutions of the discriminator after each halving, usually 0 to 2; 1 is much as in SNGAN.
    pub discriminator_convolutions: usize,
    /// What follows the generator's layers before their activation, usually `batch`.
    pub generator_normalization: Normalization,
    /// What follows the discriminator's layers, from the second on; `none`, `layer` or `spectral` where the objective has penalties on gradients.
    pub discriminator_normalization: Normalization,
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
    /// How the weights get their first values.
    pub initialization: Initialization,
}

impl Default for DcganConfig {
    fn default() -> Self {
        Self {
            latent_size: 100,
            base_channels: 64,
            generator_convolutions: 0,
            discriminator_convolutions: 0,
            generator_normalization: Normalization::Batch,
            discriminator_normalization: Normalization::Batch,
            packing: 1,
            minibatch_stddev: false,
            conditional: false,
            class_head: ClassHeadKind::Projection,
            initialization: Initialization::Dcgan,
        }
    }
}

impl NetworkSettings for DcganConfig {
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
        expect::at_most("generator_convolutions", self.generator_convolutions, 8)?;
        expect::at_most("discriminator_convolutions", self.discriminator_convolutions, 8)?;
        if self.generator_normalization == Normalization::Spectral {
            let expected = "`batch`, `layer` or `none` for a generator";
            return Err(ModelError::config("generator_normalization", "`spectral`", expected));
        }
        check_packing(self.packing, self.conditional)?;
        check_classes(self.conditional, self.class_head, data)?;
        match data {
            Some(DataShape { image, .. }) if levels(image).is_none() || ![1, 3].contains(&image.channels) => {
                Err(expect::image(
                    image,
                    "1 or 3 channels and sides that are multiples of 4, 16 to 1024 pixels, for dcgan",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Networks<B> for DcganConfig {
    type Generator = DcganGenerator<B>;
    type Discriminator = DcganDiscriminator<B>;

    fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<DcganGenerator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        Ok(DcganGenerator::new(self, data, init))
    }

    fn discriminator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<DcganDiscriminator<B>, ModelError> {
        self.validate(Some(data))?;
        init.set_scheme(self.initialization);
        Ok(DcganDiscriminator::new(self, data, init))
    }
}

/// Slope of the discriminator's LeakyReLU below zero, from the DCGAN paper, section 3.
pub(super) const LEAKY: Activation = Activation::LeakyRelu { slope: 0.2 };

/// Kernel 4, stride 2, padding 1: doubles or halves the side and leaves no border.
fn doubling(channels: [usize; 2]) -> ConvConfig {
    ConvConfig::new(channels, 4, 2).with_padding(1)
}

/// Kernel 3 and padding 1: keeps the side.
fn keeping(width: usize) -> ConvConfig {
    ConvConfig::new([width; 2], 3, 1).with_padding(1)
}

/// How many times an image is halved: as often as both sides allow and leave at least 4 pixels, twice to four times. 28 becomes
/// 7, 32 and 64 become 4.
fn levels(image: ImageShape) -> Option<usize> {
    let sides = [image.height, image.width];
    let fits = |side: usize, levels: usize| side.is_multiple_of(1 << levels) && side >> levels >= 4 && side <= 1024;
    (2..=4)
        .rev()
        .find(|&levels| sides.into_iter().all(|side| fits(side, levels)))
}

/// The number of halvings, the pixels that are left, and the widest layer's channels.
fn pyramid(config: &DcganConfig, image: ImageShape) -> (usize, [usize; 2], usize) {
    // A shape without levels is refused by `validate`.
    let levels = levels(image).unwrap_or(2);
    let start = [image.height >> levels, image.width >> levels];
    (levels, start, config.base_channels << (levels - 1))
}
