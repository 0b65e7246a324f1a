//! Ink on paper: smooth curves through points, and grey pixels along them.

use crate::source::skeletons::ControlPoint;

/// A point in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub x: f32,
    pub y: f32,
}

impl Point {
    pub(crate) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    fn plus(self, other: Self, factor: f32) -> Self {
        Self::new(self.x + other.x * factor, self.y + other.y * factor)
    }
}

/// How many straight pieces stand for the curve between two control points.
const PIECES: usize = 8;

/// The tension of the cardinal spline; 0.5 is the Catmull–Rom spline.
const TENSION: f32 = 0.5;

/// A smooth curve through `stroke`, as points a short way apart.
///
/// This is the Catmull–Rom spline (Catmull and Rom 1974), taken apart at corners. It is the uniform
/// one, which runs through the middle of unequal gaps with a little swing, as a hand does.
pub(crate) fn curve(stroke: &[ControlPoint]) -> Vec<Point> {
    let at = |point: &ControlPoint| Point::new(point.x, point.y);
    let mut points: Vec<Point> = stroke.first().map(at).into_iter().collect();
    for (index, pair) in stroke.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        let (start, end) = (at(from), at(to));
        let along = end.plus(start, -1.0);
        // Towards a corner or an end the tangent is that of the chord.
        let before = index
            .checked_sub(1)
            .and_then(|before| stroke.get(before))
            .filter(|_| !from.corner);
        let after = stroke.get(index + 2).filter(|_| !to.corner);
        let leave = before.map_or(along, |before| end.plus(at(before), -1.0));
        let arrive = after.map_or(along, |after| at(after).plus(start, -1.0));
        let tangent_scale = |neighbour: Option<_>| if neighbour.is_some() { TENSION } else { 1.0 };
        let (leave_scale, arrive_scale) = (tangent_scale(before), tangent_scale(after));
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let (t2, t3) = (t * t, t * t * t);
            // The cubic Hermite polynomials.
            let point = Point::new(0.0, 0.0)
                .plus(start, 2.0 * t3 - 3.0 * t2 + 1.0)
                .plus(leave, (t3 - 2.0 * t2 + t) * leave_scale)
                .plus(end, 3.0 * t2 - 2.0 * t3)
                .plus(arrive, (t3 - t2) * arrive_scale);
            points.push(point);
        }
    }
    points
}

/// The smallest box around `points`, as its low and its high corner; `None` without points.
pub(crate) fn bounds<'a>(points: impl Iterator<Item = &'a Point>) -> Option<(Point, Point)> {
    points.fold(None, |bounds, point| {
        let (low, high) = bounds.unwrap_or((*point, *point));
        Some((
            Point::new(low.x.min(point.x), low.y.min(point.y)),
            Point::new(high.x.max(point.x), high.y.max(point.y)),
        ))
    })
}

/// A square sheet on which ink gathers; 0 is bare paper and 1 is full ink.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    side: usize,
    ink: Vec<f32>,
}

impl Sheet {
    pub(crate) fn new(side: usize) -> Self {
        Self {
            side,
            ink: vec![0.0; side * side],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.ink.fill(0.0);
    }

    /// The rows of the sheet, from the top.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.ink.chunks_exact(self.side.max(1))
    }

    /// Draws a line from `from` to `to` with a round pen whose radius goes from `radii.0` to
    /// `radii.1`.
    ///
    /// Coordinates and radii count pixels; the first pixel's centre is at (0.5, 0.5). Ink fades
    /// from 1 to 0 over `softness` pixels around the pen's edge. Where lines cross, the darker ink
    /// counts, so the pieces of a curve join without a seam.
    pub(crate) fn line(&mut self, from: Point, to: Point, radii: (f32, f32), softness: f32) {
        let reach = radii.0.max(radii.1) + softness / 2.0;
        let columns = self.span(from.x.min(to.x) - reach, from.x.max(to.x) + reach);
        let rows = self.span(from.y.min(to.y) - reach, from.y.max(to.y) + reach);
        let along = to.plus(from, -1.0);
        let length2 = (along.x * along.x + along.y * along.y).max(1e-12);
        for row in rows {
            let y = row as f32 + 0.5 - from.y;
            let Some(line) = self.ink.get_mut(row * self.side..(row + 1) * self.side) else {
                continue;
            };
            for column in columns.clone() {
                let x = column as f32 + 0.5 - from.x;
                let t = ((x * along.x + y * along.y) / length2).clamp(0.0, 1.0);
                let (dx, dy) = (x - t * along.x, y - t * along.y);
                let radius = radii.0 + t * (radii.1 - radii.0);
                let distance = (dx * dx + dy * dy).sqrt() - radius;
                let ink = (0.5 - distance / softness).clamp(0.0, 1.0);
                if let Some(pixel) = line.get_mut(column) {
                    *pixel = pixel.max(ink);
                }
            }
        }
    }

    /// The pixels between two coordinates, kept on the sheet.
    fn span(&self, low: f32, high: f32) -> std::ops::Range<usize> {
        // The conversion takes negative numbers and NaN to 0.
        let start = (low.floor() as usize).min(self.side);
        let end = (high.ceil() as usize).min(self.side);
        start..end
    }

    /// Where the ink's centre of mass lies, or `None` on bare paper.
    pub(crate) fn centre_of_mass(&self) -> Option<Point> {
        let (mut mass, mut sum) = (0.0, Point::new(0.0, 0.0));
        for (y, row) in self.rows().enumerate() {
            for (x, &ink) in row.iter().enumerate() {
                mass += ink;
                sum = sum.plus(Point::new(x as f32 + 0.5, y as f32 + 0.5), ink);
            }
        }
        (mass > 0.0).then(|| Point::new(sum.x / mass, sum.y / mass))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(x: f32, y: f32, corner: bool) -> ControlPoint {
        ControlPoint { x, y, corner }
    }

    #[test]
    fn a_curve_goes_through_its_points() {
        let stroke = [
            control(0.0, 0.0, false),
            control(1.0, 2.0, false),
            control(3.0, 1.0, true),
            control(4.0, 4.0, false),
        ];
        let points = curve(&stroke);
        assert_eq!(points.len(), 3 * PIECES + 1);
        for (index, point) in stroke.iter().enumerate() {
            let near = points[index * PIECES];
            assert!((near.x - point.x).abs() < 1e-5 && (near.y - point.y).abs() < 1e-5);
        }
        assert!(curve(&[]).is_empty());
    }

    #[test]
    fn between_corners_the_curve_is_straight() {
        let points = curve(&[
            control(0.0, 0.0, true),
            control(1.0, 1.0, true),
            control(2.0, 0.0, true),
        ]);
        assert!(points[..=PIECES].iter().all(|point| (point.x - point.y).abs() < 1e-6));
    }

    #[test]
    fn a_line_inks_its_width() {
        let mut sheet = Sheet::new(9);
        sheet.line(Point::new(4.5, 2.0), Point::new(4.5, 7.0), (1.5, 1.5), 1.0);
        let row: Vec<f32> = sheet.rows().nth(4).unwrap().to_vec();
        assert_eq!(row, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        let centre = sheet.centre_of_mass().unwrap();
        assert!((centre.x - 4.5).abs() < 1e-5 && (centre.y - 4.5).abs() < 0.01);
    }

    #[test]
    fn lines_off_the_sheet_leave_no_ink_and_do_no_harm() {
        let mut sheet = Sheet::new(4);
        let far = f32::MAX / 4.0;
        for (from, to) in [(-9.0, -5.0), (20.0, 30.0), (f32::NAN, f32::NAN), (-far, -far)] {
            sheet.line(Point::new(from, from), Point::new(to, to), (1.0, 1.0), 1.0);
        }
        assert!(sheet.centre_of_mass().is_none());
    }
}
