(() => {
  const verdict = (chosen, correct, wrong) => {
    if (chosen === 0) return "Choose an answer first.";
    if (correct.all === 1) return wrong === 0 ? "That is right." : "That is not right: choose again.";
    const found = `${correct.chosen} of ${correct.all} right answers chosen`;
    return wrong === 0 ? `${found}.` : `${found}, and ${wrong} wrong: choose again.`;
  };
  const check = (form) => {
    const boxes = [...form.querySelectorAll("input")];
    const feedback = [...form.querySelectorAll("[data-correct]")];
    const correct = { all: 0, chosen: 0 };
    let wrong = 0;
    feedback.forEach((paragraph, place) => {
      const isCorrect = paragraph.dataset.correct === "true";
      const isChosen = boxes[place].checked;
      paragraph.hidden = !isChosen;
      correct.all += isCorrect;
      correct.chosen += isCorrect && isChosen;
      wrong += !isCorrect && isChosen;
    });
    const line = form.querySelector(".verdict");
    line.hidden = false;
    line.textContent = verdict(correct.chosen + wrong, correct, wrong);
  };
  for (const form of document.querySelectorAll(".leukobook-quiz form")) {
    form.onsubmit = (event) => {
      event.preventDefault();
      check(form);
    };
  }
})();
