//! Evaluators, and the best checkpoint by what they report.

use std::fs;

use burn::tensor::backend::Backend;
use ganvas_training::{Checkpoint, Evaluator, MetricsLine, RunDirectory, TrainingError, train};

use crate::{
    B,
    determinism::{begin, experiment, images, metrics},
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
