//! Generators and discriminators, and the families that ship.

mod blog;
mod conditional;
mod dcgan;
mod family;
mod input_gradient;
mod mlp;
mod resnet;
mod traits;

pub use blog::{BlogConfig, BlogDiscriminator, BlogGenerator};
pub use conditional::ClassHeadKind;
pub use dcgan::{DcganConfig, DcganDiscriminator, DcganGenerator};
pub use family::{AnyDiscriminator, AnyGenerator, NetworkConfig};
pub use input_gradient::{InputGradient, RecordedLogits};
pub use mlp::{MlpConfig, MlpDiscriminator, MlpGenerator};
pub use resnet::{ResnetConfig, ResnetDiscriminator, ResnetGenerator};
pub use traits::{Discriminator, Generator, InnerGenerator, Labels, NetworkSettings, Networks, TrainableNetworks};
