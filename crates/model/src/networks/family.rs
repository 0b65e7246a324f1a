//! The families that ship, in one list: their settings behind one enum, their networks behind another, so that a program
//! that offers all of them compiles everything else once.

// There are one or two of the enums in a program. For the derived ones too, an attribute on the module is needed.
#![allow(clippy::large_enum_variant)]

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::{
    blog::{BlogConfig, BlogDiscriminator, BlogGenerator},
    dcgan::{DcganConfig, DcganDiscriminator, DcganGenerator},
    mlp::{MlpConfig, MlpDiscriminator, MlpGenerator},
    resnet::{ResnetConfig, ResnetDiscriminator, ResnetGenerator},
    traits::{Discriminator, Generator, Labels, NetworkSettings, Networks},
};
use crate::{DataShape, GraphBuilder, ImageShape, Init, ModelError, Pass, Value};

macro_rules! families {
    ($($(#[$about:meta])* $family:ident = $name:literal: $config:ident, $generator:ident, $discriminator:ident;)*) => {
        /// The settings of the families that ship; `[model]` of an experiment, where `network` names the family.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "network")]
        pub enum NetworkConfig {
            $($(#[$about])* #[serde(rename = $name)] $family($config),)*
        }

        impl NetworkConfig {
            /// The family's name in experiment files.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$family(_) => $name,)*
                }
            }
        }

        $(impl From<$config> for NetworkConfig {
            fn from(config: $config) -> Self {
                Self::$family(config)
            }
        })*

        /// A generator of any family that ships.
        #[derive(Module, Debug)]
        pub enum AnyGenerator<B: Backend> {
            $($(#[$about])* $family($generator<B>),)*
        }

        impl<B: Backend> Generator<B> for AnyGenerator<B> {
            fn latent_size(&self) -> usize {
                match self {
                    $(Self::$family(network) => Generator::latent_size(network),)*
                }
            }

            fn image_shape(&self) -> ImageShape {
                match self {
                    $(Self::$family(network) => Generator::image_shape(network),)*
                }
            }

            fn classes(&self) -> usize {
                match self {
                    $(Self::$family(network) => Generator::<B>::classes(network),)*
                }
            }

            fn describe(&self, graph: &mut GraphBuilder) -> Option<Value> {
                match self {
                    $(Self::$family(network) => Generator::<B>::describe(network, graph),)*
                }
            }

            fn forward_pass(&self, z: Tensor<B, 2>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 4> {
                match self {
                    $(Self::$family(network) => network.forward_pass(z, labels, pass),)*
                }
            }
        }

        /// A discriminator of any family that ships.
        #[derive(Module, Debug)]
        pub enum AnyDiscriminator<B: Backend> {
            $($(#[$about])* $family($discriminator<B>),)*
        }

        impl<B: Backend> Discriminator<B> for AnyDiscriminator<B> {
            fn image_shape(&self) -> ImageShape {
                match self {
                    $(Self::$family(network) => Discriminator::image_shape(network),)*
                }
            }

            fn packing(&self) -> usize {
                match self {
                    $(Self::$family(network) => Discriminator::<B>::packing(network),)*
                }
            }

            fn forward_pass(&self, images: Tensor<B, 4>, labels: Option<Labels<B>>, pass: &mut Pass<B>) -> Tensor<B, 2> {
                match self {
                    $(Self::$family(network) => network.forward_pass(images, labels, pass),)*
                }
            }
        }

        impl NetworkSettings for NetworkConfig {
            const FAMILIES: &'static [&'static str] = &[$($name),*];

            fn reads_classes(&self) -> Option<bool> {
                match self {
                    $(Self::$family(config) => config.reads_classes(),)*
                }
            }

            fn packing(&self) -> usize {
                match self {
                    $(Self::$family(config) => config.packing(),)*
                }
            }

            fn is_conditional(&self) -> bool {
                match self {
                    $(Self::$family(config) => config.is_conditional(),)*
                }
            }

            fn validate(&self, data: Option<DataShape>) -> Result<(), ModelError> {
                match self {
                    $(Self::$family(config) => config.validate(data),)*
                }
            }
        }

        impl<B: Backend> Networks<B> for NetworkConfig {
            type Generator = AnyGenerator<B>;
            type Discriminator = AnyDiscriminator<B>;

            fn generator(&self, data: DataShape, init: &mut Init<'_, B>) -> Result<AnyGenerator<B>, ModelError> {
                Ok(match self {
                    $(Self::$family(config) => AnyGenerator::$family(config.generator(data, init)?),)*
                })
            }

            fn discriminator(
                &self,
                data: DataShape,
                init: &mut Init<'_, B>,
            ) -> Result<AnyDiscriminator<B>, ModelError> {
                Ok(match self {
                    $(Self::$family(config) => AnyDiscriminator::$family(config.discriminator(data, init)?),)*
                })
            }
        }
    };
}

families! {
    /// The Keras blog post's pair, 28×28, one channel.
    Blog = "blog": BlogConfig, BlogGenerator, BlogDiscriminator;
    /// A DCGAN of any width.
    Dcgan = "dcgan": DcganConfig, DcganGenerator, DcganDiscriminator;
    /// A fully connected pair, any image.
    Mlp = "mlp": MlpConfig, MlpGenerator, MlpDiscriminator;
    /// Residual blocks without normalization, after R3GAN, whose 3×3 convolutions are grouped and these are not.
    Resnet = "resnet": ResnetConfig, ResnetGenerator, ResnetDiscriminator;
}
