//! Evaluators, and the best checkpoint by what they report.

use std::fs;

use burn::tensor::backend::Backend;
use ganvas_model::NetworkConfig;
use ganvas_training::{
    Basis, Checkpoint, CheckpointChoice, CheckpointSummary, Evaluator, Evaluators, Hint, MetricsLine, Observer,
    Outcome, RunDirectory, TrainingError, begin_or_resume, resume_point, train,
};

use crate::{
    B,
    determinism::{StopAfter, begin, experiment, images, metrics},
    device,
};

/// Reports under a name, whatever the generator.
#[derive(Debug)]
struct Says(&'static str, Result<f64, &'static str>);

impl<X: Backend, G> Evaluator<X, G> for Says {
    fn reports(&self) -> Vec<String> {
        vec![self.0.to_owned()]
    }
    fn evaluate(&mut self, _: &G, _: u64, _: &X::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        let value = self.1.map_err(|reason| TrainingError::Evaluator(reason.into()))?;
        Ok(vec![(self.0.to_owned(), value)])
    }
}

#[test]
fn an_evaluator_may_fail_or_have_no_number_and_takes_no_name_that_every_line_has() {
    let evaluated = |judge: Says| {
        let folder = tempfile::tempdir().unwrap();
        let experiment = experiment(&["training.max_steps=2", "evaluation.every=1"]);
        let run = RunDirectory::create(Some(&folder.path().join("run")), &experiment.name).unwrap();
        let (images, judges) = (images(&experiment), &mut [Box::new(judge) as Box<_>]);
        let outcome = train::<B, _, _>(&experiment, &images, judges, &run, None, &device(), &mut ());
        let written = run.config_path().exists();
        outcome
            .map(|_| metrics(run.path()))
            .map_err(|error| (Box::new(error), written))
    };
    let lines = evaluated(Says("beauty", Ok(0.5))).unwrap();
    assert_eq!(lines[1].get("beauty"), Some(0.5));
    // JSON has no NaN: the name is left out, and a warning says so.
    let lines = evaluated(Says("beauty", Ok(f64::NAN))).unwrap();
    assert!(lines[1].get("beauty").is_none() && lines[1].get("loss/generator").is_some());
    let (error, _) = evaluated(Says("beauty", Err("no eyes"))).unwrap_err();
    assert_eq!(error.to_string(), "cannot evaluate: no eyes");
    for name in ["step", "epoch", "loss/generator", "images_per_second"] {
        let (error, written) = evaluated(Says(name, Ok(1.0))).unwrap_err();
        assert!(
            error.is_usage() && error.to_string().contains(&format!("`{name}`")),
            "{error}"
        );
        assert!(!written, "{name}");
    }
}

/// Reports one number after the other under a name.
#[derive(Debug)]
struct Course(&'static str, &'static [f64]);

/// A course by somebody who has a name.
#[derive(Debug)]
struct CourseBy(Course, &'static str);

impl<X: Backend, G> Evaluator<X, G> for CourseBy {
    fn reports(&self) -> Vec<String> {
        Evaluator::<X, G>::reports(&self.0)
    }
    fn basis(&self) -> Basis {
        Basis {
            by: self.1.to_owned(),
            ..Basis::default()
        }
    }
    fn evaluate(&mut self, generator: &G, step: u64, device: &X::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        Evaluator::<X, G>::evaluate(&mut self.0, generator, step, device)
    }
}

impl<X: Backend, G> Evaluator<X, G> for Course {
    fn reports(&self) -> Vec<String> {
        vec![self.0.to_owned()]
    }
    fn evaluate(&mut self, _: &G, step: u64, _: &X::Device) -> Result<Vec<(String, f64)>, TrainingError> {
        Ok(vec![(self.0.to_owned(), self.1[step as usize - 1])])
    }
}

/// Remembers the hints.
#[derive(Default)]
struct Hints(Vec<(u64, Hint)>);

impl Observer for Hints {
    fn warned(&mut self, step: u64, hint: Hint) {
        self.0.push((step, hint));
    }
}

/// Trains with numbers of quality that take a course, in sessions that end at these steps.
fn follow(course: Course, set: &[&str], sessions: &[u64]) -> (Outcome, Vec<(u64, Hint)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let experiment = experiment(&[&["evaluation.every=1", "checkpoint.every=1"], set].concat());
    let images = images(&experiment);
    let mut hints = Hints::default();
    let judges: &mut Evaluators<B, NetworkConfig> = &mut [Box::new(course) as Box<_>];
    let mut outcome = None;
    for (session, &last) in sessions.iter().enumerate() {
        let run = match session {
            0 => RunDirectory::create(Some(&path), &experiment.name).unwrap(),
            _ => RunDirectory::open(Some(&path), &experiment.name).unwrap(),
        };
        let point = (session > 0).then(|| resume_point(&run, &experiment, &*images).unwrap());
        let before = point
            .as_ref()
            .and_then(|point| Some(point.checkpoint.as_ref()?.state.step));
        let mut watch = Both(StopAfter(last - before.unwrap_or(0)), &mut hints);
        let ended = train::<B, _, _>(
            &experiment,
            &images,
            judges,
            &run,
            point.as_ref(),
            &device(),
            &mut watch,
        );
        outcome = Some(ended.unwrap());
    }
    (outcome.unwrap(), hints.0)
}

/// Two observers.
struct Both<'a>(StopAfter, &'a mut Hints);

impl Observer for Both<'_> {
    fn stepped(&mut self, step: u64) {
        self.0.stepped(step);
    }
    fn warned(&mut self, step: u64, hint: Hint) {
        self.1.warned(step, hint);
    }
    fn wants_to_stop(&mut self) -> bool {
        self.0.wants_to_stop()
    }
}

#[test]
fn a_run_ends_when_patience_does_in_one_session_or_in_several() {
    let course = [9.0, 8.0, 8.5, 7.0, 7.0, 7.5, 7.1, 1.0, 1.0, 1.0, 1.0, 1.0];
    let course = || Course("beauty", Box::leak(Box::new(course)));
    let set = [
        "evaluation.patience=3",
        "checkpoint.best={metric=\"beauty\", goal=\"min\"}",
    ];
    let last = u64::MAX;
    // The fourth was the best, and three more were not better.
    assert_eq!(follow(course(), &set, &[last]).0, Outcome::OutOfPatience { step: 7 });
    assert_eq!(follow(course(), &set, &[5, last]).0, Outcome::OutOfPatience { step: 7 });
    assert_eq!(follow(course(), &set, &[7, last]).0, Outcome::OutOfPatience { step: 7 });
    let most = [
        "evaluation.patience=3",
        "checkpoint.best={metric=\"beauty\", goal=\"max\"}",
    ];
    assert_eq!(
        follow(course(), &most, &[2, 3, last]).0,
        Outcome::OutOfPatience { step: 4 }
    );
    let set = ["evaluation.patience=0", set[1]];
    assert_eq!(follow(course(), &set, &[last]).0, Outcome::Finished { step: 12 });
}

/// A run that goes on with another evaluator begins to compare anew: what is the best, when patience ends, and what is a plateau.
#[test]
fn numbers_of_another_evaluator_do_not_count() {
    const COURSE: [f64; 12] = [1.0, 2.0, 3.0, 9.0, 8.0, 8.5, 8.2, 8.1, 8.0, 8.0, 8.0, 8.0];
    let trained = |evaluators: &[(&'static str, u64)]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let experiment = experiment(&[
            "evaluation.every=1",
            "evaluation.patience=3",
            "checkpoint.every=1",
            "checkpoint.keep=1",
            "checkpoint.best={metric=\"fid\", goal=\"min\"}",
        ]);
        let images = images(&experiment);
        let mut outcome = None;
        let mut hints = Hints::default();
        for &(by, steps) in evaluators {
            let (run, point) = begin_or_resume(&path, &experiment, &*images).unwrap();
            let judges: &mut Evaluators<B, NetworkConfig> =
                &mut [Box::new(CourseBy(Course("fid", &COURSE), by)) as Box<_>];
            let mut watch = Both(StopAfter(steps), &mut hints);
            let ended = train::<B, _, _>(
                &experiment,
                &images,
                judges,
                &run,
                point.as_ref(),
                &device(),
                &mut watch,
            );
            outcome = Some(ended.unwrap());
        }
        let mut kept: Vec<u64> = CheckpointSummary::of(&RunDirectory::at(&path))
            .unwrap()
            .iter()
            .map(|checkpoint| checkpoint.step)
            .collect();
        kept.sort_unstable();
        let best = Checkpoint::choose(&path, Some(CheckpointChoice::Best)).ok();
        (outcome.unwrap(), kept, best.map(|best| best.state.step), hints.0.len())
    };
    let last = u64::MAX;
    let by_one = (Outcome::OutOfPatience { step: 4 }, vec![1, 4], Some(1), 0);
    assert_eq!(trained(&[("one", last)]), by_one);
    assert_eq!(trained(&[("one", 2), ("one", last)]), by_one);
    let by_two = (Outcome::OutOfPatience { step: 8 }, vec![5, 8], Some(5), 0);
    assert_eq!(trained(&[("one", 3), ("two", last)]), by_two);
    assert_eq!(trained(&[("one", 3), ("two", 1), ("two", 1), ("two", last)]), by_two);
    assert_eq!(trained(&[("two", 2), ("one", 1), ("two", last)]), by_two);
}

#[test]
fn numbers_of_quality_bring_hints_also_over_several_sessions() {
    for sessions in [&[u64::MAX][..], &[5, u64::MAX]] {
        let of = |name, course: [f64; 12]| follow(Course(name, Box::leak(Box::new(course))), &[], sessions).1;
        let collapse = of("recall", [0.1, 0.3, 0.6, 0.5, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]);
        assert_eq!(collapse, [(6, Hint::VarietyLost)]);
        let plateau = of(
            "fid",
            [
                290.0, 200.0, 201.0, 202.0, 203.0, 204.0, 120.0, 90.0, 70.0, 60.0, 50.0, 40.0,
            ],
        );
        assert_eq!(plateau, [(6, Hint::StillFar)]);
        let stall = of(
            "fid",
            [290.0, 20.0, 20.0, 19.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0],
        );
        assert_eq!(stall, [(10, Hint::QualityStalled)]);
    }
}

#[test]
fn evaluations_are_logged_by_name_at_their_steps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let set = ["evaluation.every=3", "evaluation.count=25", "logging.every=2"];
    begin(&experiment(&set), &path, u64::MAX).unwrap();
    let names = ["pixels/mean_error", "pixels/deviation_error"];
    for line in metrics(&path) {
        let is_evaluated = line.step % 3 == 0;
        assert!(is_evaluated || line.step % 2 == 0, "{line:?}");
        for name in names {
            assert_eq!(line.get(name).is_some(), is_evaluated, "{line:?}");
        }
        // Whatever the reason for a line, it is whole.
        assert!(line.get("gradient_norm/generator").is_some() && line.get("loss/generator").is_some());
    }
    // A checkpoint between two evaluations has the newest of each number.
    let state = Checkpoint::find(&path.join("checkpoints/step-000008")).unwrap().state;
    let newest: MetricsLine = state.metrics.unwrap();
    let lines = metrics(&path);
    let at = |step: u64| lines.iter().find(|line| line.step == step).unwrap();
    assert_eq!(newest.step, 8);
    assert_eq!(newest.get(names[0]), at(6).get(names[0]));
    assert_eq!(newest.get("loss/generator"), at(8).get("loss/generator"));
}

#[test]
fn the_best_checkpoint_by_any_number_is_kept() {
    for (metric, evaluation) in [("loss/generator", 0), ("logits/fake", 0), ("pixels/mean_error", 2)] {
        for (goal, sign) in [("min", 1.0), ("max", -1.0)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run");
            let best = experiment(&[
                "checkpoint.every=2",
                "checkpoint.keep=1",
                &format!("checkpoint.best={{metric=\"{metric}\", goal=\"{goal}\"}}"),
                &format!("evaluation.every={evaluation}"),
                "evaluation.count=10",
            ]);
            begin(&best, &path, u64::MAX).unwrap();
            let value = |line: &MetricsLine| sign * line.get(metric).unwrap();
            let lines = metrics(&path);
            let step = lines
                .iter()
                .min_by(|one, other| value(one).total_cmp(&value(other)))
                .unwrap()
                .step;
            let kept = path.join(format!("checkpoints/step-{step:06}/state.json"));
            assert!(kept.is_file(), "{metric} {goal} {step}");
            assert!(path.join("checkpoints/step-000012/state.json").is_file());
            let count = fs::read_dir(path.join("checkpoints")).unwrap().count();
            assert_eq!(count, if step == 12 { 2 } else { 3 }, "with `latest`");
        }
    }
}
