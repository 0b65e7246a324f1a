//! The experiment file: its sections, how it is read, and what is wrong with it.

mod backend_file;
mod blame;
mod dotted;
mod ema;
mod error;
mod file;
#[cfg(feature = "schema")]
mod keys;
mod optimizer_config;
mod overrides;
mod schedule;
#[cfg(feature = "schema")]
mod schema;
mod sections;
mod validation;

pub use backend_file::{BackendFile, SuiteSettings, load_backend_file};
pub use dotted::last_set;
pub(crate) use dotted::{dotted_keys, table_of};
pub use ema::{EmaRate, EmaSection};
pub use error::{ConfigError, nearest};
pub use file::{ConfigText, load_experiment, parse_experiment};
#[cfg(feature = "schema")]
pub use keys::{ExplainedKey, ExplainedSection, explained_backend_sections, explained_sections};
pub use optimizer_config::{AdamVariant, OptimizerConfig, OptimizerKind};
pub use overrides::Overrides;
pub use schedule::{ScheduleSection, ScheduleShape, Scheduled};
#[cfg(feature = "schema")]
pub use schema::{backend_file_schema, experiment_schema};
pub use sections::{
    BackendSection, BestSection, CheckpointSection, DataSection, EvaluationSection, Experiment, Goal, LoggingSection,
    OptimizerSection, SamplesSection, TrainingSection, UpdateRule,
};
pub(crate) use validation::{Mistake, refuse};
