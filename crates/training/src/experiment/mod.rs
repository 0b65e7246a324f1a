//! The experiment file: its sections, how it is read, and what is wrong with it.

mod adam_config;
mod backend_file;
mod error;
mod file;
mod sections;
mod validation;

pub use adam_config::{AdamConfig, AdamVariant};
pub use backend_file::{BackendFile, SuiteSettings, load_backend_file};
pub use error::{ConfigError, nearest};
pub use file::{Overrides, last_set, load_experiment, parse_experiment};
pub(crate) use file::{dotted_keys, table_of};
pub use sections::{
    BackendSection, BestSection, CheckpointSection, DataSection, EmaSection, EvaluationSection, Experiment, Goal,
    LoggingSection, OptimizerSection, SamplesSection, TrainingSection, UpdateRule,
};
