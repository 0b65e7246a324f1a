//! Evaluators as files: weights, and what they are.

use std::{fs, path::Path};

use burn::tensor::backend::Backend;
use ganvas_data::{Fingerprint, ImageSource, Purpose, keyed_rng, write_atomically};
use ganvas_model::{
    ImageShape, Init, NamedTensor, apply_named_tensors, from_safetensors, named_tensors, to_safetensors,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Classifier, ClassifierConfig, EvaluatorError, Judge, Recipe};

/// The key of the file's metadata that holds [`EvaluatorInfo`].
const METADATA: &str = "ganvas.evaluator";

/// The largest file that is read.
const LARGEST: u64 = 64 << 20;

/// The most classes that a file may have.
const MOST_CLASSES: usize = 4096;

/// What an evaluator is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatorInfo {
    /// The network's version.
    pub version: u32,
    /// What people call it.
    pub name: String,
    /// What it was built for.
    pub network: ClassifierConfig,
    /// How it was trained.
    pub recipe: Recipe,
    /// The images that it was trained on.
    pub data: TrainedOn,
    /// The backend that it was trained on.
    pub backend: String,
    /// The share of test images whose class it reads right, where there were any.
    pub accuracy: Option<f64>,
}

/// The images that a classifier was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// Their name.
    pub name: String,
    /// How many they are.
    pub images: usize,
    /// What distinguishes them from any others.
    pub fingerprint: Fingerprint,
}

impl EvaluatorInfo {
    /// The network and the meaning of its features; another one would get another number.
    pub const VERSION: u32 = 1;
}

impl TrainedOn {
    /// Of these images.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn of(images: &dyn ImageSource) -> Result<Self, EvaluatorError> {
        Ok(Self {
            name: images.name().to_owned(),
            images: images.len(),
            fingerprint: images.fingerprint()?,
        })
    }
}

/// An evaluator on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatorFile {
    /// What it is.
    pub info: EvaluatorInfo,
    tensors: Vec<NamedTensor>,
}

impl EvaluatorFile {
    /// Takes the weights of a classifier.
    pub fn new<B: Backend>(info: EvaluatorInfo, classifier: &Classifier<B>) -> Result<Self, EvaluatorError> {
        let mut tensors = named_tensors::<B, _>(classifier);
        if tensors
            .iter()
            .any(|tensor| tensor.values.iter().any(|value| !value.is_finite()))
        {
            return Err(EvaluatorError::NotFinite);
        }
        // As a file gives them back.
        tensors.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { info, tensors })
    }

    /// The beginning of the hash, as people are shown it.
    pub fn short_hash(&self) -> String {
        let hash = self.hash();
        hash.get(..8).unwrap_or(&hash).to_owned()
    }

    /// `mnist 1a2b3c4d`: what scores are named with.
    pub fn name_and_hash(&self) -> String {
        format!("{} {}", self.info.name, self.short_hash())
    }

    /// SHA-256 over version and weights (names, shapes, values), in hexadecimal: scores by evaluators of the same hash compare.
    pub fn hash(&self) -> String {
        let mut sum = Sha256::new();
        let number = |number: usize| (number as u64).to_le_bytes();
        sum.update(number(self.info.version as usize));
        for tensor in &self.tensors {
            sum.update(number(tensor.name.len()));
            sum.update(tensor.name.as_bytes());
            sum.update(number(tensor.shape.len()));
            for &side in &tensor.shape {
                sum.update(number(side));
            }
            for value in &tensor.values {
                sum.update(value.to_le_bytes());
            }
        }
        sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`EvaluatorError::Model`] where tensors cannot be written, which no file has.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EvaluatorError> {
        let info = serde_json::to_string(&self.info).unwrap_or_default();
        Ok(to_safetensors(&self.tensors, [(METADATA.to_owned(), info)])?)
    }

    /// Reads a file's bytes; errors name `path`.
    ///
    /// # Errors
    /// [`EvaluatorError::File`]
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, EvaluatorError> {
        let refuse = |found: String| EvaluatorError::File {
            path: path.to_owned(),
            found,
        };
        let tensors = from_safetensors(bytes).map_err(|error| refuse(error.to_string()))?;
        let Some(text) = metadata(bytes, METADATA) else {
            return Err(refuse(format!("safetensors without the entry `{METADATA}`")));
        };
        let info: EvaluatorInfo = serde_json::from_str(&text)
            .map_err(|error| refuse(format!("an entry `{METADATA}` that is wrong: {error}")))?;
        if info.version != EvaluatorInfo::VERSION {
            let known = EvaluatorInfo::VERSION;
            return Err(refuse(format!(
                "version {}, where this program has {known}",
                info.version
            )));
        }
        let is_known =
            ImageShape::checked(info.network.shape).is_some() && (2..=MOST_CLASSES).contains(&info.network.classes);
        if !is_known {
            let [channels, height, width] = info.network.shape;
            let classes = info.network.classes;
            return Err(refuse(format!(
                "a network for {classes} classes of {channels}×{height}×{width}"
            )));
        }
        if tensors
            .iter()
            .any(|tensor| tensor.values.iter().any(|value| !value.is_finite()))
        {
            return Err(refuse("weights that are not finite".to_owned()));
        }
        Ok(Self { info, tensors })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`EvaluatorError::Io`], [`EvaluatorError::File`]
    pub fn read(path: &Path) -> Result<Self, EvaluatorError> {
        let failed = |source| EvaluatorError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let length = fs::metadata(path).map_err(failed)?.len();
        if length > LARGEST {
            return Err(EvaluatorError::File {
                path: path.to_owned(),
                found: format!("{length} bytes"),
            });
        }
        Self::from_bytes(&fs::read(path).map_err(failed)?, path)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`EvaluatorError::Data`] where the disk fails.
    pub fn write(&self, path: &Path) -> Result<(), EvaluatorError> {
        use std::io::Write;
        let bytes = self.to_bytes()?;
        Ok(write_atomically(path, |out| out.write_all(&bytes))?)
    }

    /// Puts the classifier on a device. Errors name `path`.
    ///
    /// # Errors
    /// [`EvaluatorError::File`] where the weights are not those of the network.
    pub fn judge<B: Backend>(&self, path: &Path, device: &B::Device) -> Result<Judge<B>, EvaluatorError> {
        let config = self.info.network;
        let values = self.tensors.iter().map(|tensor| tensor.values.len() as u64).sum();
        let mut rng = keyed_rng(0, Purpose::DiscriminatorWeights, 0);
        // No file makes this program build more than the file holds.
        let mut init = Init::new(&mut rng, device).with_zeros().with_limit(values);
        let classifier = Classifier::<B>::new(config, &mut init);
        let applied = init
            .check()
            .and_then(|()| apply_named_tensors(classifier, self.tensors.clone()));
        let classifier = applied.map_err(|error| EvaluatorError::File {
            path: path.to_owned(),
            found: error.to_string(),
        })?;
        Ok(Judge::new(classifier, config, device))
    }
}

/// An entry of a safetensors file's metadata.
fn metadata(bytes: &[u8], key: &str) -> Option<String> {
    let length = u64::from_le_bytes(bytes.first_chunk::<8>().copied()?);
    let header = bytes.get(8..)?.get(..usize::try_from(length).ok()?)?;
    let header: serde_json::Value = serde_json::from_slice(header).ok()?;
    Some(header.get("__metadata__")?.get(key)?.as_str()?.to_owned())
}
