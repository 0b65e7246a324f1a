//! Which numbers left the numbers, and where the last good ones are.

use burn::{module::Module, tensor::backend::AutodiffBackend};
use ganvas_model::{NamedTensor, named_tensors};

use crate::{
    RunDirectory, TrainingError, TrainingState,
    saver::{Saver, step_folders},
};

/// Where the last good checkpoint is, and what to try.
pub(crate) fn divergence_advice(run: &RunDirectory) -> String {
    let good = match step_folders(run).unwrap_or_default().pop() {
        Some((_, path)) => format!("the last good checkpoint is {}", path.display()),
        None => "no checkpoint was saved before it".to_owned(),
    };
    format!("{good}; try smaller learning rates")
}

/// Adds to a [`TrainingError::Diverged`] which weights are not finite now, up to 50 steps later, and the last good checkpoint,
/// after it has been written.
pub(crate) fn locate<B: AutodiffBackend>(
    error: TrainingError,
    state: &TrainingState<B>,
    run: &RunDirectory,
    saver: &mut Saver,
) -> TrainingError {
    let TrainingError::Diverged { what, value, step, .. } = error else {
        return error;
    };
    // Whether it failed matters less than the divergence.
    let _ = saver.finish();
    let advice = divergence_advice(run);
    let broken = [
        broken::<B, _>("discriminator", &state.discriminator),
        broken::<B, _>("generator", &state.generator),
    ]
    .concat();
    let found = match broken.split_first() {
        Some((first, [])) => format!("{first} is not finite"),
        Some((first, others)) => format!("{first} and {} more tensors are not finite", others.len()),
        None => "all weights are still finite".to_owned(),
    };
    TrainingError::Diverged {
        what,
        value,
        step,
        advice: format!("{found}; {advice}"),
    }
}

fn broken<B: AutodiffBackend, M: Module<B>>(network: &str, module: &M) -> Vec<String> {
    named_tensors(module)
        .iter()
        .filter(|tensor| not_finite(tensor).is_some())
        .map(|tensor| format!("the {network}'s `{}`", tensor.name))
        .collect()
}

/// Holds every value of a file to be.
///
/// # Errors
/// [`TrainingError::Diverged`] naming the tensor.
pub(crate) fn check_finite(
    file: &str,
    tensors: &[NamedTensor],
    step: u64,
    run: &RunDirectory,
) -> Result<(), TrainingError> {
    for tensor in tensors {
        if let Some(value) = not_finite(tensor) {
            return Err(TrainingError::Diverged {
                what: format!("a value of `{}` in {file}", tensor.name),
                value,
                step,
                advice: divergence_advice(run),
            });
        }
    }
    Ok(())
}

fn not_finite(tensor: &NamedTensor) -> Option<f32> {
    tensor.values.iter().copied().find(|value| !value.is_finite())
}
