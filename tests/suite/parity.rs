//! Thirty training steps: the curve of the losses against Keras'.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use ganvas_model::{Loss, NetworkConfig, NetworkKind};
use ganvas_training::{UpdateRule, training_step};
use serde::Deserialize;

use crate::{
    B, BACKEND, Inner, device,
    golden::{self, Case, step_inputs, values},
    three_steps::{GREY, PYTORCH_ADAM, first_state},
};

/// `curves.py`'s losses, step by step.
#[derive(Debug, Deserialize)]
struct Curves {
    d_loss: Vec<f64>,
    g_loss: Vec<f64>,
    /// How far rounding alone moves them.
    moved_by_rounding: BTreeMap<String, f64>,
}

fn check(name: &str, network: NetworkConfig, update: UpdateRule, loss: Loss) {
    let case: Case = golden::read(name);
    let curves = golden::read::<BTreeMap<String, Curves>>("curves").remove(name).unwrap();
    let mut state = first_state(&case, network, PYTORCH_ADAM);
    let steps = curves.d_loss.len();
    assert_eq!(steps, 30);
    let mut found = Vec::new();
    for index in 0..steps {
        let (z, real) = step_inputs::<B>(&case, index, &device());
        let losses;
        (state, losses) = training_step(state, update, loss, Vec::new(), (real, z), false);
        found.push((losses.discriminator, losses.generator));
    }
    let scalar = |tensor: Tensor<Inner, 1>| f64::from(values(tensor)[0]);
    for (index, (discriminator, generator)) in found.into_iter().enumerate() {
        for (what, found, expected) in [
            ("d_loss", scalar(discriminator), curves.d_loss[index]),
            ("g_loss", scalar(generator), curves.g_loss[index]),
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
    let network = NetworkConfig::new(NetworkKind::Dcgan, GREY).with_base_channels(8);
    check("dcgan", network, UpdateRule::Alternating, Loss::NonSaturating);
}

#[test]
fn mlp_follows_keras_for_thirty_steps() {
    let network = NetworkConfig::new(NetworkKind::Mlp, GREY).with_hidden_sizes(vec![32, 48]);
    check("mlp", network, UpdateRule::Simultaneous, Loss::Minimax);
}
