//! The losses of `[objective]`.

use burn::tensor::{Tensor, activation::log_softmax, backend::AutodiffBackend};

use super::{
    adversarial::AdversarialLoss,
    approximate::{Approximation, PenaltyMethod},
    augment::{Side, seen},
    batch::Batch,
    config::{ADVERSARIAL_LOSS, CLASSIFICATION, LOGITS_FAKE, LOGITS_REAL, ObjectiveConfig},
    penalty::{GradientPenalty, between},
    report::Report,
    traits::{DiscriminatorLoss, Objective, ObjectiveSettings},
};
use crate::{BufferUpdates, Discriminator, InputGradient, Labels, Pass, layers::transposed, one_hot};

/// The gradient of each logit: with respect to all images that it is of, as one image.
fn of_logits<B: AutodiffBackend>(gradient: Tensor<B, 4>, packing: usize) -> Tensor<B, 4> {
    let [batch, channels, height, width] = gradient.dims();
    // As `pack` has them: what does not fill a pack is left out, and of fewer images than that all are in one.
    let together = packing.min(batch);
    let packs = batch / together;
    gradient
        .narrow(0, 0, packs * together)
        .reshape([packs, together * channels, height, width])
}

/// The first of the random streams of directions, one for each side.
const DIRECTION: u64 = 30;

/// What a discriminator makes of images in its own update.
struct Judged<B: AutodiffBackend> {
    logits: Tensor<B, 2>,
    class_logits: Option<Tensor<B, 2>>,
    updates: BufferUpdates<B>,
    gradient: Option<InputGradient<B>>,
}

impl<B: AutodiffBackend> Judged<B> {
    fn new(
        discriminator: &impl Discriminator<B>,
        images: Tensor<B, 4>,
        labels: Option<Labels<B>>,
        records: bool,
    ) -> Self {
        if records {
            let recorded = discriminator.forward_recorded(images, labels);
            return Self {
                logits: recorded.logits,
                class_logits: recorded.class_logits,
                updates: recorded.updates,
                gradient: Some(recorded.gradient),
            };
        }
        let mut pass = Pass::training();
        let logits = discriminator.forward_pass(images, labels, &mut pass);
        Self {
            logits,
            class_logits: pass.take_class_logits(),
            updates: pass.into_updates(),
            gradient: None,
        }
    }
}

impl ObjectiveConfig {
    /// What the discriminator sees of images.
    fn seen<B: AutodiffBackend>(&self, batch: &Batch<B>, images: Tensor<B, 4>, side: Side) -> Tensor<B, 4> {
        let noise = self.instance_noise * batch.strength.noise;
        seen(&self.augment, noise, batch, images, side)
    }

    /// The loss of the classes that the discriminator reads, without its weight, where it has one.
    fn class_loss<B: AutodiffBackend>(
        &self,
        logits: Option<Tensor<B, 2>>,
        labels: &Option<Labels<B>>,
    ) -> Option<Tensor<B, 1>> {
        let (logits, labels) = logits.zip(labels.clone()).filter(|_| self.classification > 0.0)?;
        Some(class_cross_entropy(logits, labels))
    }
}

/// Mean of −log softmax at the label, `[1]`, by a product with one-hot labels, because the gradient of a selection adds up in no fixed
/// order on graphics cards.
///
/// # Shapes
/// - logits: `[batch, classes]`
/// - labels: `[batch]`
fn class_cross_entropy<B: AutodiffBackend>(logits: Tensor<B, 2>, labels: Labels<B>) -> Tensor<B, 1> {
    let [batch, classes] = logits.dims();
    let wanted = transposed(one_hot(labels, classes).reshape([classes, batch]));
    let of_images = (log_softmax(logits, 1) * wanted).sum_dim(1);
    -of_images.mean_dim(0).reshape([1])
}

/// The gradient at points between real and generated images, which are neither: what the discriminator's buffers want to become is
/// dropped.
fn of_points_between<B: AutodiffBackend>(
    discriminator: &impl Discriminator<B>,
    batch: &Batch<B>,
    real: Tensor<B, 4>,
    fake: Tensor<B, 4>,
) -> InputGradient<B> {
    let images = between(batch, real, fake);
    let count = images.dims()[0];
    let labels = batch.labels.clone().map(|labels| labels.narrow(0, 0, count));
    discriminator.forward_recorded(images, labels).gradient
}

/// The gradient, which is there: networks without one are refused before training, by
/// [`check_input_gradient`](crate::check_input_gradient), which is asked where
/// [`needs_input_gradient`](ObjectiveSettings::needs_input_gradient) says so.
///
/// # Panics
/// Where nobody has asked it, because to train without the penalty is worse.
#[allow(clippy::panic)]
fn computed<B: AutodiffBackend>(gradient: InputGradient<B>, device: &B::Device) -> Tensor<B, 4> {
    gradient.compute(device).unwrap_or_else(|error| panic!("{error}"))
}

impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for ObjectiveConfig {
    /// The discriminator sees the generated batch before the real one, which matters to its running statistics only.
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        // Counted from 1, so that an update that is logged, every tenth or so, is one of them where `penalty_every` divides it.
        let penalties = match (batch.number + 1).is_multiple_of(self.penalty_every) {
            true => self.penalties(),
            false => Vec::new(),
        };
        let mut updates = BufferUpdates::default();
        let mut class_losses = Vec::new();
        let mut judge = |images: Tensor<B, 4>, labels: &Option<Labels<B>>, penalty: GradientPenalty| {
            let has_penalty = penalties.iter().any(|&(known, _)| known == penalty);
            let judged = Judged::new(
                discriminator,
                images,
                labels.clone(),
                has_penalty && self.needs_input_gradient(),
            );
            updates.append(judged.updates);
            class_losses.extend(self.class_loss(judged.class_logits, labels));
            (judged.logits, judged.gradient)
        };
        let real = self.seen(batch, batch.images.clone(), Side::Real);
        let fake = self.seen(batch, fake, Side::Fake);
        let (fake_logits, mut on_fake) = judge(fake.clone(), &batch.fake_labels, GradientPenalty::R2);
        let (real_logits, mut on_real) = judge(real.clone(), &batch.labels, GradientPenalty::R1);
        report.report(LOGITS_REAL, real_logits.clone().inner().mean());
        report.report(LOGITS_FAKE, fake_logits.clone().inner().mean());
        let mut loss = self.loss.of_discriminator(real_logits.clone(), fake_logits.clone());
        if self.label_smoothing > 0.0 {
            // (1 − s)·softplus(−x) + s·softplus(x) = softplus(−x) + s·x
            loss = loss + real_logits.clone().mean() * self.label_smoothing;
        }
        if self.has_more_than_a_game() {
            report.report(ADVERSARIAL_LOSS, loss.clone().inner());
        }
        if let Some(class_loss) = class_losses.into_iter().reduce(|one, other| one + other) {
            report.report(CLASSIFICATION, class_loss.clone().inner());
            loss = loss + class_loss * self.classification;
        }

        // Each penalty takes the passes that there are already, where it can.
        let device = fake.device();
        let approximated = |images: &Tensor<B, 4>, labels: &Option<Labels<B>>, logits: &Tensor<B, 2>, stream: u64| {
            let approximation = Approximation {
                discriminator,
                images: images.clone(),
                labels: labels.clone(),
                logits: logits.clone(),
                step: self.penalty_step,
            };
            match self.penalty_method {
                PenaltyMethod::CentralDifference => approximation.by_central_difference(),
                PenaltyMethod::RandomDirection | PenaltyMethod::Exact => {
                    approximation.by_random_direction(batch, stream)
                }
            }
        };
        for (penalty, weight) in penalties {
            let gradient = match penalty {
                GradientPenalty::R1 => on_real.take(),
                GradientPenalty::R2 => on_fake.take(),
                GradientPenalty::Interpolated => {
                    Some(of_points_between(discriminator, batch, real.clone(), fake.clone()))
                }
            };
            let value = match (gradient, penalty) {
                (Some(gradient), _) => penalty.of(of_logits(computed(gradient, &device), discriminator.packing())),
                (None, GradientPenalty::R2) => approximated(&fake, &batch.fake_labels, &fake_logits, DIRECTION + 1),
                (None, _) => approximated(&real, &batch.labels, &real_logits, DIRECTION),
            };
            report.report(penalty.name(), value.clone().inner());
            loss = loss + value * (weight * batch.strength.penalty * self.penalty_every as f64);
        }
        DiscriminatorLoss { loss, updates }
    }

    fn generator(
        &self,
        _generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        _report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        let mut pass = Pass::training();
        let fake = self.seen(batch, fake, Side::GeneratorFake);
        let fake_logits = discriminator.forward_pass(fake, batch.fake_labels.clone(), &mut pass);
        let class_loss = self.class_loss(pass.take_class_logits(), &batch.fake_labels);
        let real_logits = || {
            let real = self.seen(batch, batch.images.clone(), Side::GeneratorReal);
            discriminator.forward_training(real, batch.labels.clone()).0
        };
        let loss = self.loss.of_generator(fake_logits, real_logits);
        match class_loss {
            Some(class_loss) => loss + class_loss * self.classification,
            None => loss,
        }
    }
}

/// As `[objective]` with this loss and nothing else.
impl<B: AutodiffBackend, G, D: Discriminator<B>> Objective<B, G, D> for AdversarialLoss {
    fn discriminator(
        &self,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> DiscriminatorLoss<B> {
        let alone = ObjectiveConfig::from(*self);
        Objective::<B, G, D>::discriminator(&alone, discriminator, batch, fake, report)
    }

    fn generator(
        &self,
        generator: &G,
        discriminator: &D,
        batch: &Batch<B>,
        fake: Tensor<B, 4>,
        report: &mut Report<B::InnerBackend>,
    ) -> Tensor<B, 1> {
        ObjectiveConfig::from(*self).generator(generator, discriminator, batch, fake, report)
    }
}
