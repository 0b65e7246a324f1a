//! From an experiment file to a trained GAN: configuration, the adversarial loop, checkpoints, run directory, logs.
//!
//! [`Experiment`] is the whole configuration, [`RunDirectory`] the folder that a run writes, [`train`] the loop, and
//! [`Checkpoint`] what it saves and resumes from. Everything that touches tensors is generic over the backend, the networks and
//! the objective: [`train`] takes those that ship, or one's own ([`ganvas_model::Networks`], [`ganvas_model::Objective`]), on
//! any [`ganvas_data::ImageSource`], judged by any [`Evaluator`].
//!
//! To read the algorithm, begin with `training_loop.rs`, then `step/training_step.rs`.

mod benchmark;
mod checkpoint;
mod error;
mod experiment;
mod memory;
mod observer;
mod run;
mod step;
mod training_loop;
mod watch;
mod words;

pub use benchmark::{Benchmark, BenchmarkOptions, benchmark};
pub use checkpoint::{
    Checkpoint, CheckpointState, CheckpointSummary, ImagesState, RandomState, ResumePoint, Weights, begin_or_resume,
    resume_point, resume_point_at,
};
pub use error::TrainingError;
pub use experiment::{
    AdamVariant, BackendFile, BackendSection, BestSection, CheckpointSection, ConfigError, ConfigText, DataSection,
    EmaRate, EmaSection, EvaluationSection, Experiment, Goal, LoggingSection, OptimizerConfig, OptimizerKind,
    OptimizerSection, Overrides, SamplesSection, ScheduleSection, ScheduleShape, Scheduled, SuiteSettings,
    TrainingSection, UpdateRule, last_set, load_backend_file, load_experiment, nearest, parse_experiment,
};
#[cfg(feature = "schema")]
pub use experiment::{
    ExplainedKey, ExplainedSection, backend_file_schema, experiment_schema, explained_backend_sections,
    explained_sections,
};
pub use memory::{MemoryNeed, memory_need};
pub use observer::Observer;
pub use run::{
    Change, CheckpointChoice, Judged, MetricsLine, MetricsLog, Plan, RunDirectory, RunLocation, Sampler, Session,
    Timings,
};
pub use step::{
    DiscriminatorGradients, Ema, GeneratorGradients, Optimizer, StepBatches, StepMetrics, TrainingState,
    count_parameters, discriminator_gradients, generator_gradients, training_step,
};
pub use training_loop::{Evaluators, Outcome, train};
pub use watch::{Basis, Evaluator, Health, Hint, PixelStatistics, WatchedTraining};
pub use words::counted;
