//! Everything that a step changes.

use burn::tensor::backend::AutodiffBackend;
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{Discriminator, Generator, NetworkConfig};

use crate::{Adam, Ema, Experiment, TrainingError};

/// Networks, optimizers and the averaged generator in the middle of training.
#[derive(Debug, Clone)]
pub struct TrainingState<B: AutodiffBackend> {
    /// The generator.
    pub generator: Generator<B>,
    /// The discriminator.
    pub discriminator: Discriminator<B>,
    /// The generator's Adam.
    pub optimizer_generator: Adam<B::InnerBackend>,
    /// The discriminator's Adam.
    pub optimizer_discriminator: Adam<B::InnerBackend>,
    /// The averaged generator, where `[ema] decay` is above 0.
    pub ema: Option<Ema<B>>,
    /// Generator updates done.
    pub step: u64,
}

impl<B: AutodiffBackend> TrainingState<B> {
    /// The state before the first step, from the experiment's seed.
    ///
    /// # Errors
    /// Where the networks cannot be built for these images.
    pub fn new(experiment: &Experiment, network: &NetworkConfig, device: &B::Device) -> Result<Self, TrainingError> {
        let generator = network.generator(&mut keyed_rng(experiment.seed, Purpose::GeneratorWeights, 0), device)?;
        let discriminator = network.discriminator(
            &mut keyed_rng(experiment.seed, Purpose::DiscriminatorWeights, 0),
            device,
        )?;
        let decay = experiment.ema.decay;
        Ok(Self {
            ema: (decay > 0.0).then(|| Ema::new(&generator, decay)),
            generator,
            discriminator,
            optimizer_generator: Adam::new(experiment.optimizer.generator),
            optimizer_discriminator: Adam::new(experiment.optimizer.discriminator),
            step: 0,
        })
    }

    /// The generator that images are drawn from: the averaged one where there is one.
    pub fn sampling_generator(&self) -> Generator<B::InnerBackend> {
        use burn::module::AutodiffModule;
        match &self.ema {
            Some(ema) => ema.generator.clone(),
            None => self.generator.valid(),
        }
    }
}
