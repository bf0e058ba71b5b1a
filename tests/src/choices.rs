//! Exhaustive exploration: runs a scenario once for every combination of the choices that it makes.

/// The choices of one run. The scenario must make the same choices whenever the earlier ones are the same.
#[derive(Debug, Default)]
pub struct Choices {
    /// What was chosen, and out of how many.
    taken: Vec<(usize, usize)>,
    next: usize,
}

impl Choices {
    /// Calls `scenario` until all combinations were tried or it fails; returns how many it tried.
    pub fn explore<E>(mut scenario: impl FnMut(&mut Self) -> Result<(), E>) -> Result<usize, E> {
        let mut choices = Self::default();
        let mut runs = 0;
        loop {
            choices.next = 0;
            scenario(&mut choices)?;
            runs += 1;
            while choices.taken.pop_if(|(chosen, of)| *chosen + 1 == *of).is_some() {}
            let Some((chosen, _)) = choices.taken.last_mut() else { return Ok(runs) };
            *chosen += 1;
        }
    }

    /// One of the numbers below `of`, which is not 0.
    pub fn choose(&mut self, of: usize) -> usize {
        if self.next == self.taken.len() {
            self.taken.push((0, of));
        }
        let (chosen, before) = self.taken[self.next];
        assert_eq!(of, before, "the scenario is not deterministic");
        self.next += 1;
        chosen
    }

    /// How many choices this run has made.
    pub const fn made(&self) -> usize {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_tried_once() {
        let mut seen = Vec::new();
        let runs = Choices::explore(|choices| {
            let first = choices.choose(3);
            let second = if first == 1 { choices.choose(2) } else { 9 };
            seen.push((first, second));
            Ok::<(), ()>(())
        });
        assert_eq!(runs, Ok(4));
        assert_eq!(seen, [(0, 9), (1, 0), (1, 1), (2, 9)]);
    }
}
