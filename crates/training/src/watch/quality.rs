//! Signs in the numbers of quality that a classifier's evaluation puts into the log.

use super::hint::Hint;
use crate::MetricsLine;

/// Numbers that fall where a generator loses some of what it could make, with the least best value that a fall from means
/// anything: shares, and nats.
const VARIETY: [(&str, f64); 3] = [("recall", 0.1), ("coverage", 0.1), ("class_entropy", 1.0)];
/// The distances, the first of which that is there counts.
const DISTANCES: [&str; 2] = ["fid", "kid"];
/// A fall below this share of the best is a loss.
const LOST_SHARE: f64 = 0.5;
/// Evaluations in a row that show a loss before it is reported.
const LOST: usize = 2;
/// A distance that is smaller by this share of the best is better.
const BETTER_SHARE: f64 = 0.1;
/// Evaluations without a better distance after which images that are still far from real ones are reported.
const FAR: usize = 4;
/// Evaluations without a better distance after which others are.
const STALLED: usize = 8;
/// Images are still far where less than this share of them lies among the real ones.
const FAR_PRECISION: f64 = 0.1;
/// Where that share is not reported: a distance above this share of the first one.
const FAR_SHARE: f64 = 0.3;

/// What the evaluations of a run have come to so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct QualityTrend {
    /// The best value of each of [`VARIETY`], and the evaluations in a row that show its loss.
    variety: [(f64, usize); VARIETY.len()],
    /// The first and the best distance.
    distances: Option<(f64, f64)>,
    /// Evaluations since the best was set.
    since_better: usize,
    /// Whether that has been reported since then.
    is_reported: bool,
}

impl QualityTrend {
    /// What the newest line completes; nothing of lines without such numbers.
    pub(super) fn observe(&mut self, line: &MetricsLine) -> Vec<Hint> {
        let mut found = Vec::new();
        let mut is_lost = false;
        for ((name, least), (best, shown)) in VARIETY.into_iter().zip(&mut self.variety) {
            let Some(value) = line.get(name) else { continue };
            *best = best.max(value);
            *shown = match *best >= least && value < LOST_SHARE * *best {
                true => *shown + 1,
                false => 0,
            };
            is_lost |= *shown == LOST;
        }
        if is_lost {
            found.push(Hint::VarietyLost);
        }
        found.extend(self.observe_distance(line));
        found
    }

    fn observe_distance(&mut self, line: &MetricsLine) -> Option<Hint> {
        let value = DISTANCES.iter().find_map(|name| line.get(name))?;
        let (first, best) = *self.distances.get_or_insert((value, f64::INFINITY));
        // An unbiased distance may be below zero.
        if best.is_infinite() || value < best - BETTER_SHARE * best.abs() {
            self.distances = Some((first, value));
            (self.since_better, self.is_reported) = (0, false);
            return None;
        }
        self.since_better += 1;
        let is_far = match line.get("precision") {
            Some(precision) => precision < FAR_PRECISION,
            None => value > FAR_SHARE * first.abs(),
        };
        let hint = match (self.since_better, is_far) {
            (FAR.., true) => Hint::StillFar,
            (STALLED.., false) => Hint::QualityStalled,
            _ => return None,
        };
        let is_new = !std::mem::replace(&mut self.is_reported, true);
        is_new.then_some(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(lines: &[&[(&str, f64)]]) -> Vec<(usize, Hint)> {
        let mut trend = QualityTrend::default();
        let mut found = Vec::new();
        for (index, numbers) in lines.iter().enumerate() {
            let line = MetricsLine {
                step: index as u64,
                epoch: 1,
                numbers: numbers.iter().map(|&(name, value)| (name.to_owned(), value)).collect(),
            };
            found.extend(trend.observe(&line).into_iter().map(|hint| (index, hint)));
        }
        found
    }

    #[test]
    fn a_loss_of_variety_is_reported_at_its_second_evaluation_and_once() {
        for (name, best, fallen) in [
            ("recall", 0.6, 0.29),
            ("coverage", 0.1, 0.04),
            ("class_entropy", 2.3, 1.1),
        ] {
            let (good, bad) = (&[(name, best)][..], &[(name, fallen)][..]);
            let others: &[_] = &[("loss/generator", 1.0)];
            assert_eq!(hints(&[good, bad, others, bad, bad]), [(3, Hint::VarietyLost)]);
            assert_eq!(hints(&[good, bad, good, bad, good]), []);
            let again = hints(&[good, bad, bad, good, bad, bad]);
            assert_eq!(again, [(2, Hint::VarietyLost), (5, Hint::VarietyLost)]);
        }
        // What was never there is not lost.
        assert_eq!(
            hints(&[&[("recall", 0.09)], &[("recall", 0.0)], &[("recall", 0.0)]]),
            []
        );
    }

    /// `configs/blog.toml` by an outside judge: distances that stay where they are for five epochs, and then fall.
    #[test]
    fn the_plateau_of_the_blogs_network_is_recognized_and_its_end_is_not() {
        let distances = [292.0, 202.0, 202.0, 218.0, 229.0, 229.0, 139.0, 100.0, 71.0, 61.0, 65.0];
        let lines: Vec<[(&str, f64); 1]> = distances.map(|distance| [("fid", distance)]).to_vec();
        let lines: Vec<&[(&str, f64)]> = lines.iter().map(<[_; 1]>::as_slice).collect();
        assert_eq!(hints(&lines), [(5, Hint::StillFar)]);
    }

    #[test]
    fn a_distance_that_stays_is_a_stall_where_the_images_are_near_and_a_plateau_where_they_are_far() {
        let lines = |precision: f64| vec![[("fid", 9.0), ("precision", precision)]; 12];
        let of = |lines: Vec<[(&'static str, f64); 2]>| {
            let lines: Vec<&[(&str, f64)]> = lines.iter().map(<[_; 2]>::as_slice).collect();
            hints(&lines)
        };
        assert_eq!(of(lines(0.5)), [(8, Hint::QualityStalled)]);
        assert_eq!(of(lines(0.05)), [(4, Hint::StillFar)]);
        // Around zero, where equal distributions are.
        let around_zero = |distance: f64| vec![[("kid", distance), ("precision", 0.8)]; 12];
        assert_eq!(of(around_zero(-1e-4)), [(8, Hint::QualityStalled)]);
        // A tenth better every few evaluations is progress.
        let falling: Vec<f64> = (0..30).map(|index| 100.0 * 0.8_f64.powi(index / 3)).collect();
        let lines = falling.iter().map(|&distance| [("fid", distance), ("precision", 0.5)]);
        assert_eq!(of(lines.collect()), []);
    }
}
