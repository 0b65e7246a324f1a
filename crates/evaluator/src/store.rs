//! Evaluators by name: those that ship with ganvas, and the user's own.

use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use ganvas_data::DatasetName;

use crate::{EvaluatorError, EvaluatorFile, Judge};

/// The evaluators that ship inside of programs; README.md beside them says how they were made.
const STANDARD: [(&str, &[u8]); 2] = [
    ("mnist", include_bytes!("../standard/mnist.safetensors")),
    ("fashion-mnist", include_bytes!("../standard/fashion-mnist.safetensors")),
];

/// An evaluator, and where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundEvaluator {
    /// The evaluator.
    pub file: EvaluatorFile,
    /// Its file, or `NAME (shipped with ganvas)`.
    pub path: PathBuf,
    /// Whether it ships with ganvas.
    pub is_standard: bool,
}

impl FoundEvaluator {
    /// Its judge of the images of a data set: of stacked digits, channel by channel.
    ///
    /// # Errors
    /// As [`EvaluatorFile::judge`] and [`Judge::per_channel`].
    pub fn judge<B: Backend>(
        &self,
        dataset: Option<DatasetName>,
        device: &B::Device,
    ) -> Result<Judge<B>, EvaluatorError> {
        let judge = self.file.judge(&self.path, device)?;
        match dataset {
            Some(DatasetName::StackedMnist) => judge.per_channel(),
            _ => Ok(judge),
        }
    }
}

/// The evaluator that ships under a name.
///
/// # Errors
/// [`EvaluatorError::File`], which is a mistake in this crate.
pub fn standard_evaluator(name: &str) -> Option<Result<FoundEvaluator, EvaluatorError>> {
    let (name, bytes) = STANDARD.iter().find(|(known, _)| *known == name)?;
    let path = PathBuf::from(format!("{name} (shipped with ganvas)"));
    Some(EvaluatorFile::from_bytes(bytes, &path).map(|file| FoundEvaluator {
        file,
        path,
        is_standard: true,
    }))
}

/// The names of the evaluators that ship.
pub fn standard_names() -> impl Iterator<Item = &'static str> {
    STANDARD.iter().map(|(name, _)| *name)
}

/// The folder of the user's own evaluators: `ganvas/evaluators` in the user's cache, or, where the system knows none, in the current
/// folder.
pub fn evaluator_folder() -> PathBuf {
    let cache = dirs::cache_dir().map_or_else(|| PathBuf::from("ganvas-data"), |cache| cache.join("ganvas"));
    cache.join("evaluators")
}

/// The file of an evaluator of the user's own.
pub fn evaluator_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.safetensors"))
}

/// The names of the user's own evaluators, in order.
pub fn own_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".safetensors")?.to_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Finds an evaluator: a file, one that ships, or one of the user's own in `folder`.
///
/// What ships comes before the user's own of the same name, so that scores under its name compare.
///
/// # Errors
/// [`EvaluatorError::Unknown`] where there is none, [`EvaluatorError::Io`] and [`EvaluatorError::File`] where it cannot be read.
pub fn find_evaluator(argument: &Path, folder: &Path) -> Result<FoundEvaluator, EvaluatorError> {
    let own = |path: PathBuf| {
        Ok(FoundEvaluator {
            file: EvaluatorFile::read(&path)?,
            path,
            is_standard: false,
        })
    };
    let is_name = argument.components().count() == 1;
    let name = argument.to_string_lossy().into_owned();
    if let Some(found) = is_name.then(|| standard_evaluator(&name)).flatten() {
        return found;
    }
    if argument.is_file() {
        return own(argument.to_owned());
    }
    let path = evaluator_path(folder, &name);
    if is_name && path.is_file() {
        return own(path);
    }
    Err(EvaluatorError::Unknown {
        name,
        known: standard_names().map(str::to_owned).chain(own_names(folder)).collect(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_can_be_read_and_knows_its_images() {
        for name in standard_names() {
            let found = standard_evaluator(name).unwrap().unwrap();
            let info = &found.file.info;
            assert_eq!((info.name.as_str(), info.data.name.as_str()), (name, name));
            assert_eq!((info.network.shape, info.network.classes), ([1, 28, 28], 10));
            let least = if name == "mnist" { 0.992 } else { 0.91 };
            assert!(info.accuracy.unwrap() >= least, "{info:?}");
        }
    }

    #[test]
    fn evaluators_are_found_by_file_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let mnist = standard_evaluator("mnist").unwrap().unwrap().file;
        let path = evaluator_path(folder.path(), "mine");
        mnist.write(&path).unwrap();
        // What ships cannot be replaced by a file of the same name in the cache.
        std::fs::write(evaluator_path(folder.path(), "mnist"), "damaged").unwrap();
        assert_eq!(own_names(folder.path()), ["mine", "mnist"]);
        for argument in [Path::new("mine"), &path, Path::new("mnist")] {
            assert_eq!(find_evaluator(argument, folder.path()).unwrap().file, mnist);
        }
        let error = find_evaluator(Path::new("nobody"), folder.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("nobody") && error.contains("fashion-mnist") && error.contains("mine"),
            "{error}"
        );
    }
}
