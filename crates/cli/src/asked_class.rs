//! Which class images are asked of.

use ganvas_model::NetworkSettings;
use ganvas_training::{Checkpoint, Experiment, nearest};

use crate::{args::GenerateArguments, ended::UsageError, jobs::AskedClasses};

/// Images of each class where the user does not say how many.
const COUNT_OF_EACH: u64 = 8;

/// What `--class` asks for.
pub fn asked_classes(
    arguments: &GenerateArguments,
    experiment: &Experiment,
    checkpoint: &Checkpoint,
) -> Result<AskedClasses, UsageError> {
    match &arguments.class {
        Some(all) if all == "all" && experiment.model.is_conditional() => {
            // Unless a class is called so.
            let named = checkpoint
                .state
                .images
                .classes
                .as_ref()
                .and_then(|classes| classes.find(all));
            Ok(named.map_or_else(
                || AskedClasses::Each(arguments.count.unwrap_or(COUNT_OF_EACH)),
                AskedClasses::One,
            ))
        }
        wanted => Ok(asked_class(wanted.as_deref(), "`all`, ", experiment, checkpoint)?
            .map_or(AskedClasses::Drawn, AskedClasses::One)),
    }
}

/// The class of this name or number; `besides` is what else could have been said.
pub fn asked_class(
    wanted: Option<&str>,
    besides: &str,
    experiment: &Experiment,
    checkpoint: &Checkpoint,
) -> Result<Option<u32>, UsageError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let classes = checkpoint.state.images.classes.as_ref();
    let (true, Some(classes)) = (experiment.model.is_conditional(), classes) else {
        return Err(UsageError(format!(
            "--class {wanted}: the run is not conditional, so its generator makes images of any class; `model.conditional = true` trains \
             one that can be asked"
        )));
    };
    if let Some(class) = classes.find(wanted) {
        return Ok(Some(class));
    }
    let near = nearest(wanted, classes.names.iter().map(String::as_str));
    Err(UsageError(format!(
        "--class {wanted}: expected {besides}{}, or a number below {}{}",
        known_classes(&classes.names),
        classes.count(),
        near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
    )))
}

/// The names that there are, or the first of very many.
fn known_classes(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
