/// Reads out one second of the charts, under the pointer or with the arrow keys. The page is complete without it: the
/// numbers that it shows are those of the table of seconds.
enum ReportScript {
    static let text = """
        "use strict";
        (() => {
          const table = document.querySelector("table[data-seconds]");
          const plots = [...document.querySelectorAll(".charts .plot")];
          if (!table || !plots.length) return;
          const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
          const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent));
          const end = Number(table.dataset.seconds);
          const namespace = "http://www.w3.org/2000/svg";
          let chosen = -1;
          const cursors = plots.map((plot) => {
            const canvas = plot.querySelector(".canvas");
            const line = document.createElementNS(namespace, "line");
            line.setAttribute("class", "cursor");
            line.setAttribute("y1", "26");
            line.setAttribute("y2", "196");
            line.setAttribute("visibility", "hidden");
            canvas.append(line);
            const reading = document.createElement("p");
            reading.className = "reading";
            reading.setAttribute("aria-live", "polite");
            plot.after(reading);
            plot.tabIndex = 0;
            return { plot, canvas, line, reading };
          });
          const show = (second, from) => {
            chosen = Math.min(Math.max(second, 0), rows.length - 1);
            const row = rows[chosen];
            const x = `${((chosen + 0.5) / end) * 100}%`;
            for (const { plot, line, reading } of cursors) {
              line.setAttribute("x1", x);
              line.setAttribute("x2", x);
              line.setAttribute("visibility", "visible");
              reading.textContent = plot === from
                ? heads.map((head, index) => `${head} ${row[index]}`).filter((_, index) => row[index] !== "").join("   ")
                : "";
            }
          };
          const hide = () => {
            for (const { line, reading } of cursors) {
              line.setAttribute("visibility", "hidden");
              reading.textContent = "";
            }
          };
          for (const { plot, canvas } of cursors) {
            plot.addEventListener("pointermove", (event) => {
              const frame = canvas.getBoundingClientRect();
              show(Math.floor(((event.clientX - frame.left) / frame.width) * end), plot);
            });
            plot.addEventListener("pointerleave", hide);
            plot.addEventListener("blur", hide);
            plot.addEventListener("keydown", (event) => {
              const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
              if (!step) return;
              event.preventDefault();
              show(chosen + step, plot);
            });
          }
        })();

        """
}
