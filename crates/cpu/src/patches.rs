//! Gathering the pixels under a kernel, and adding them back.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use ganvas_model::Window;

use crate::{memory::Fresh, parallel::for_rows, product::write};

/// The tables of the windows met so far; a program has a handful.
static TABLES: LazyLock<RwLock<HashMap<Window, Arc<[i32]>>>> = LazyLock::new(RwLock::default);

fn table(window: &Window) -> Arc<[i32]> {
    if let Some(table) = TABLES.read().unwrap_or_else(PoisonError::into_inner).get(window) {
        return table.clone();
    }
    let table: Arc<[i32]> = window.table().into();
    let mut tables = TABLES.write().unwrap_or_else(PoisonError::into_inner);
    tables.insert(*window, table.clone());
    table
}

/// `[channels, pixels, batch]` to `[channels, taps · positions, batch]`, zero outside the image.
pub(crate) fn gather(window: &Window, batch: usize, input: &[f32], out: Fresh<'_>) {
    let table = table(window);
    let pixels = window.pixels();
    for_rows(out, table.len() * batch, |channel, out| {
        let image = &input[channel * pixels * batch..][..pixels * batch];
        for (&pixel, out) in table.iter().zip(out.chunks_exact_mut(batch)) {
            match image.get(pixel as usize * batch..(pixel as usize + 1) * batch) {
                Some(values) => write(out, values),
                None => {
                    for out in out {
                        out.write(0.0);
                    }
                }
            }
        }
    });
}

/// `[channels, taps · positions, batch]` added into `[channels, pixels, batch]`; what lies outside the image is dropped.
pub(crate) fn scatter(window: &Window, batch: usize, input: &[f32], out: Fresh<'_>) {
    let table = table(window);
    let patch = table.len() * batch;
    for_rows(out, window.pixels() * batch, |channel, out| {
        for out in out.iter_mut() {
            out.write(0.0);
        }
        let image = crate::memory::written(out);
        let patches = &input[channel * patch..][..patch];
        for (&pixel, values) in table.iter().zip(patches.chunks_exact(batch)) {
            if let Some(image) = image.get_mut(pixel as usize * batch..(pixel as usize + 1) * batch) {
                for (sum, value) in image.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
    });
}

/// `[first, second, run]` to `[second, first, run]`.
pub(crate) fn swap_runs(input: &[f32], [first, second]: [usize; 2], run: usize, out: Fresh<'_>) {
    for_rows(out, first * run, |second_index, out| {
        for (first_index, out) in out.chunks_exact_mut(run).enumerate() {
            write(out, &input[(first_index * second + second_index) * run..][..run]);
        }
    });
}
