//! Thirty training steps: the curve of the losses against Keras'.

use std::collections::BTreeMap;

use ganvas_model::{AdversarialLoss, NetworkConfig};
use ganvas_training::{UpdateRule, training_step};
use serde::Deserialize;

use crate::{
    B, BACKEND, device,
    golden::{self, Case, step_batch},
    three_steps::{PYTORCH_ADAM, first_state, small_dcgan, small_mlp},
};

/// `curves.py`'s losses, step by step.
#[derive(Debug, Deserialize)]
struct Curves {
    d_loss: Vec<f64>,
    g_loss: Vec<f64>,
    /// How far rounding alone moves them.
    moved_by_rounding: BTreeMap<String, f64>,
}

fn check(name: &str, network: &NetworkConfig, update: UpdateRule, loss: AdversarialLoss) {
    let case: Case = golden::read(name);
    let curves = golden::read::<BTreeMap<String, Curves>>("curves").remove(name).unwrap();
    let mut state = first_state(&case, network, PYTORCH_ADAM);
    let steps = curves.d_loss.len();
    assert_eq!(steps, 30);
    let mut found = Vec::new();
    for index in 0..steps {
        let batch = step_batch::<B>(&case, index, &device());
        let (next, metrics) = training_step(state, update, &loss, batch.into(), false);
        state = next;
        found.push(metrics.report);
    }
    for (index, report) in found.into_iter().enumerate() {
        let (numbers, _) = report.read_with(Vec::new());
        let number = |name: &str| numbers.iter().find(|(known, _)| known == name).unwrap().1;
        for (what, found, expected) in [
            ("d_loss", number("loss/discriminator"), curves.d_loss[index]),
            ("g_loss", number("loss/generator"), curves.g_loss[index]),
        ] {
            let tolerance = (BACKEND.tests.values * expected.abs()).max(4.0 * curves.moved_by_rounding[what]);
            assert!(
                (found - expected).abs() <= tolerance,
                "{what} of {name} at step {}: expected {expected}, found {found}, which differs by more than {tolerance:e}",
                index + 1
            );
        }
    }
}

#[test]
fn dcgan_follows_keras_for_thirty_steps() {
    let loss = AdversarialLoss::NonSaturating;
    check("dcgan", &small_dcgan(), UpdateRule::Alternating, loss);
}

#[test]
fn mlp_follows_keras_for_thirty_steps() {
    let loss = AdversarialLoss::Minimax;
    check("mlp", &small_mlp(), UpdateRule::Simultaneous, loss);
}
