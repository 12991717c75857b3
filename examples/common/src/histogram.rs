//! Histograms whose slots double in width.

use std::fmt;

/// Of slots where slot N counts from 2^N up to 2^(N+1)-1, and slot 0 also 0.
pub struct Histogram<'a> {
    unit: &'a str,
    slots: &'a [u64],
}

/// Stars of the longest bar.
const STARS: u64 = 40;

impl<'a> Histogram<'a> {
    /// Slots of counts in a unit, such as `usecs`.
    pub fn new(unit: &'a str, slots: &'a [u64]) -> Self {
        Self { unit, slots }
    }
}

impl fmt::Display for Histogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.slots.iter().rposition(|count| *count > 0);
        let slots = &self.slots[..used.map_or(0, |last| last + 1)];
        let most = slots.iter().copied().max().unwrap_or(0);
        // Counts of any size stay in their column.
        let width = most.to_string().len().max("count".len());
        writeln!(
            f,
            "     {:<19} : {:<width$} distribution",
            self.unit, "count"
        )?;
        for (slot, count) in slots.iter().enumerate() {
            let low = if slot == 0 { 0 } else { 1u64 << slot };
            let high = u64::MAX >> (63 - slot);
            // In 128 bits the product cannot overflow.
            let stars = u128::from(*count) * u128::from(STARS) / u128::from(most);
            writeln!(
                f,
                "{low:>10} -> {high:<10} : {count:<width$} |{:<stars_width$}|",
                "*".repeat(stars as usize),
                stars_width = STARS as usize,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_double_and_the_largest_count_has_the_longest_bar() {
        let text = Histogram::new("usecs", &[1, 0, 40, 0]).to_string();
        let lines = text.lines().collect::<Vec<_>>();
        assert_eq!(lines[0], "     usecs               : count distribution");
        assert_eq!(
            lines[1],
            format!("         0 -> 1          : 1     |{:<40}|", "*")
        );
        assert_eq!(
            lines[2],
            format!("         2 -> 3          : 0     |{:<40}|", "")
        );
        assert_eq!(
            lines[3],
            format!("         4 -> 7          : 40    |{}|", "*".repeat(40))
        );
        // Nothing took longer.
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn counts_may_be_anything() {
        let text = Histogram::new("usecs", &[u64::MAX, u64::MAX / 2]).to_string();
        let lengths = text.lines().skip(1).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths[0], lengths[1]);
        Histogram::new("usecs", &[0; 26]).to_string();
    }
}
