//! From an experiment file to a trained GAN: configuration, the adversarial loop, checkpoints, run directory, logs.
//!
//! [`Experiment`] is the resolved configuration, [`RunDirectory`] the folder that a run writes, [`train`] the loop, and
//! [`Checkpoint`] what it saves and resumes from. Everything that touches tensors is generic over the backend.

mod adam;
mod adam_config;
mod backend_file;
mod checkpoint;
mod checkpoint_files;
mod checkpoint_state;
mod config_error;
mod config_file;
mod divergence;
mod ema;
mod error;
mod experiment;
mod fallback;
mod feed;
mod health;
mod history;
mod metrics_log;
mod parameters;
mod plan;
mod rehearsal;
mod render;
mod resume;
mod retention;
mod run_directory;
mod sampling;
mod saver;
mod sessions;
mod state;
mod step;
mod timings;
mod training_loop;
mod validation;

pub use adam::Adam;
pub use adam_config::{AdamConfig, AdamVariant};
pub use backend_file::{BackendFile, SuiteSettings, load_backend_file};
pub use checkpoint::Checkpoint;
pub use checkpoint_state::{CheckpointState, RandomState};
pub use config_error::{ConfigError, nearest};
pub use config_file::{Overrides, last_set, load_experiment, parse_experiment};
pub use ema::Ema;
pub use error::TrainingError;
pub use experiment::{
    BackendSection, BestSection, CheckpointSection, DataSection, EmaSection, Experiment, Goal, LoggingSection,
    LossSection, ModelSection, OptimizerSection, SamplesSection, TrainingSection, UpdateRule,
};
pub use health::{Health, Hint};
pub use metrics_log::{MetricsLine, MetricsLog};
pub use parameters::count_parameters;
pub use plan::Plan;
pub use rehearsal::{Rehearsal, RehearsalOptions, rehearse};
pub use resume::{ResumePoint, resume_point};
pub use run_directory::RunDirectory;
pub use sampling::Sampler;
pub use sessions::{Change, Session};
pub use state::TrainingState;
pub use step::{
    Batch, DiscriminatorGradients, GeneratorGradients, Losses, discriminator_gradients, generator_gradients,
    training_step,
};
pub use timings::Timings;
pub use training_loop::{Observer, Outcome, train};
