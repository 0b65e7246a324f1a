//! Which values are not finite.

use burn::{module::Module, tensor::backend::Backend};
use ganvas_model::{NamedTensor, named_tensors};

/// The name of the first tensor with a value that is not finite, and that value.
pub(crate) fn first_non_finite(tensors: &[NamedTensor]) -> Option<(&str, f32)> {
    tensors.iter().find_map(|tensor| {
        let value = tensor.values.iter().copied().find(|value| !value.is_finite())?;
        Some((tensor.name.as_str(), value))
    })
}

/// The tensors of both networks that are not finite now, in words.
pub(crate) fn non_finite_weights<B: Backend>(discriminator: &impl Module<B>, generator: &impl Module<B>) -> String {
    let of = |network: &str, tensors: Vec<NamedTensor>| -> Vec<String> {
        let broken = tensors
            .iter()
            .filter(|tensor| tensor.values.iter().any(|value| !value.is_finite()));
        broken
            .map(|tensor| format!("the {network}'s `{}`", tensor.name))
            .collect()
    };
    let broken = [
        of("discriminator", named_tensors(discriminator)),
        of("generator", named_tensors(generator)),
    ]
    .concat();
    match broken.split_first() {
        Some((first, [])) => format!("{first} is not finite"),
        Some((first, others)) => format!("{first} and {} more tensors are not finite", others.len()),
        None => "all weights are still finite".to_owned(),
    }
}
