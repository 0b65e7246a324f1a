//! Everything that a step changes.

use burn::{
    module::AutodiffModule,
    tensor::{Tensor, backend::AutodiffBackend},
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{
    BufferUpdates, DataShape, Discriminator, Generator, Init, InnerGenerator, ModelError, ObjectiveSettings,
    TrainableNetworks, check_class_logits, check_input_gradient,
};

use super::{
    ema::Ema,
    gradients::{DiscriminatorGradients, GeneratorGradients},
    optimizer::Optimizer,
};
use crate::{Experiment, OptimizerSection, Scheduled, TrainingError};

/// Networks, optimizers and the averaged generator in the middle of training.
#[derive(Debug, Clone)]
pub struct TrainingState<B: AutodiffBackend, N: TrainableNetworks<B>> {
    /// The generator.
    pub generator: N::Generator,
    /// The discriminator.
    pub discriminator: N::Discriminator,
    /// The generator's optimizer.
    pub optimizer_generator: Optimizer<B::InnerBackend>,
    /// The discriminator's optimizer.
    pub optimizer_discriminator: Optimizer<B::InnerBackend>,
    /// The averaged generator, where `[ema]` asks for one.
    pub ema: Option<Ema<InnerGenerator<B, N>>>,
    /// Generator updates done.
    pub step: u64,
}

/// Sums of squares of each parameter's gradient, where they were measured.
type Squares<B> = Option<Tensor<<B as AutodiffBackend>::InnerBackend, 1>>;

impl<B: AutodiffBackend, N: TrainableNetworks<B>> TrainingState<B, N> {
    /// The state before the first step, from the experiment's seed.
    ///
    /// # Errors
    /// Where the networks cannot be built for these images.
    pub fn new<O>(
        experiment: &Experiment<N, O>,
        data: impl Into<DataShape>,
        device: &B::Device,
    ) -> Result<Self, TrainingError> {
        Ok(Self::with_limits(experiment, data.into(), device, [u64::MAX; 2])?)
    }

    /// As [`new`](Self::new), with generator and discriminator of so many values at most.
    pub(crate) fn with_limits<O>(
        experiment: &Experiment<N, O>,
        data: DataShape,
        device: &B::Device,
        [of_generator, of_discriminator]: [u64; 2],
    ) -> Result<Self, ModelError> {
        let mut rng = keyed_rng(experiment.seed, Purpose::GeneratorWeights, 0);
        let mut init = Init::new(&mut rng, device).with_limit(of_generator);
        let generator = experiment.model.generator(data, &mut init)?;
        init.check()?;
        let mut rng = keyed_rng(experiment.seed, Purpose::DiscriminatorWeights, 0);
        let mut init = Init::new(&mut rng, device).with_limit(of_discriminator);
        let discriminator = experiment.model.discriminator(data, &mut init)?;
        init.check()?;
        for made in [generator.image_shape(), discriminator.image_shape()] {
            if made != data.image {
                let expected = format!("{made}, the images that this network is for");
                return Err(ModelError::config("image", data.image.to_string(), expected));
            }
        }
        let rate = experiment.ema.rate(experiment.data.batch_size);
        Ok(Self {
            ema: rate.map(|rate| Ema::new(&generator, rate)),
            generator,
            discriminator,
            optimizer_generator: Optimizer::new(experiment.optimizer.generator),
            optimizer_discriminator: Optimizer::new(experiment.optimizer.discriminator),
            step: 0,
        })
    }

    /// Sets what the schedule says of the step that comes next.
    pub(crate) fn set_schedule(&mut self, optimizer: &OptimizerSection, scheduled: Scheduled) {
        for (adam, config) in [
            (&mut self.optimizer_generator, optimizer.generator),
            (&mut self.optimizer_discriminator, optimizer.discriminator),
        ] {
            adam.set_learning_rate(config.learning_rate * scheduled.rate);
            adam.set_beta2(scheduled.beta2(config.beta2));
        }
    }

    /// Checks that the networks have what the objective is made of.
    ///
    /// # Errors
    /// As [`check_input_gradient`] and [`check_class_logits`].
    pub(crate) fn check_objective<O: ObjectiveSettings>(
        &self,
        experiment: &Experiment<N, O>,
        device: &B::Device,
    ) -> Result<(), ModelError> {
        check_class_logits(&self.discriminator, experiment.objective.needs_class_logits(), device)?;
        if experiment.objective.needs_input_gradient() {
            let mut rng = keyed_rng(experiment.seed, Purpose::Objective, u64::MAX);
            check_input_gradient(&self.discriminator, &mut rng, device)?;
        }
        Ok(())
    }

    /// Moves the discriminator and its buffers.
    pub(super) fn update_discriminator(
        mut self,
        found: DiscriminatorGradients<B>,
        measure: bool,
    ) -> (Self, Squares<B>) {
        let optimizer = &mut self.optimizer_discriminator;
        let (discriminator, squares) = optimizer.step(self.discriminator, found.gradients, measure);
        let discriminator = found.buffer_updates.apply(discriminator);
        (Self { discriminator, ..self }, squares)
    }

    /// Moves the generator, its buffers and its average: a step is done.
    pub(super) fn update_generator(
        mut self,
        found: GeneratorGradients<B>,
        buffer_updates: BufferUpdates<B>,
        measure: bool,
    ) -> (Self, Squares<B>) {
        let optimizer = &mut self.optimizer_generator;
        let (generator, squares) = optimizer.step(self.generator, found.gradients, measure);
        let generator = buffer_updates.apply(generator);
        let step = self.step + 1;
        let ema = self.ema.map(|ema| ema.update::<B, _>(&generator, step));
        let state = Self {
            generator,
            ema,
            step,
            ..self
        };
        (state, squares)
    }

    /// The generator that images are drawn from: the averaged one where there is one.
    pub fn sampling_generator(&self) -> InnerGenerator<B, N> {
        match &self.ema {
            Some(ema) => ema.generator.clone(),
            None => self.generator.valid(),
        }
    }
}
