//! How a network says what it computes.

use std::collections::{BTreeSet, HashMap};

use burn::{
    module::{Module, Param, ParamId},
    tensor::{Tensor, backend::Backend},
};

use super::{Node, Operation, Value, Weights};
use crate::{Activation, ModelError, weights::parameter_names};

/// Collects the operations of a network while it is described.
#[derive(Debug)]
pub struct GraphBuilder {
    names: HashMap<ParamId, String>,
    /// Weights that no operation was given yet.
    unused: BTreeSet<String>,
    nodes: Vec<Node>,
    /// The first thing that cannot be described.
    missing: Option<String>,
}

impl GraphBuilder {
    /// For a network whose parameters its operations will name.
    pub(super) fn new<B: Backend, M: Module<B>>(module: &M) -> Self {
        let names = parameter_names(module);
        Self {
            unused: names.values().cloned().collect(),
            names,
            nodes: Vec::new(),
            missing: None,
        }
    }

    /// Adds an operation, and gives what it makes.
    pub fn push(&mut self, operation: Operation, inputs: impl Into<Vec<Value>>) -> Value {
        self.nodes.push(Node {
            operation,
            inputs: inputs.into(),
        });
        Value::of(self.nodes.len() - 1)
    }

    /// Adds an activation, where it does anything.
    pub fn activation(&mut self, activation: Activation, input: Value) -> Value {
        match activation {
            Activation::Identity => input,
            activation => self.push(Operation::Activation(activation), [input]),
        }
    }

    /// The name of a parameter, which counts as used.
    pub fn name<B: Backend, const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) -> String {
        match self.names.get(&parameter.id) {
            Some(name) => {
                self.unused.remove(name);
                name.clone()
            }
            None => {
                self.refuse("a parameter that is no field of the network");
                String::new()
            }
        }
    }

    /// The names of a layer's weights.
    pub fn weights<B: Backend, const D: usize>(
        &mut self,
        weight: &Param<Tensor<B, D>>,
        bias: Option<&Param<Tensor<B, 1>>>,
    ) -> Weights {
        Weights {
            weight: self.name(weight),
            bias: bias.map(|bias| self.name(bias)),
        }
    }

    /// Says that something, such as `a layer of one's own`, cannot be described.
    pub fn refuse(&mut self, what: &str) {
        self.missing.get_or_insert_with(|| what.to_owned());
    }

    /// The operations and what comes out of them.
    pub(super) fn finish(self, output: Option<Value>) -> Result<(Vec<Node>, Value), ModelError> {
        match (self.missing, output, self.unused.into_iter().next()) {
            (Some(missing), _, _) => Err(ModelError::not_described(missing)),
            (None, None, _) => Err(ModelError::not_described("the network")),
            (None, Some(_), Some(name)) => Err(ModelError::not_described(format!("the parameter `{name}`"))),
            (None, Some(output), None) => Ok((self.nodes, output)),
        }
    }
}
