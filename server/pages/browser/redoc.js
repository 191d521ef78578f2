fetch("/docs/contracts.json")
  .then((answer) => answer.json())
  .then((contracts) => {
    const wanted = new URLSearchParams(location.search).get("api");
    const chosen = contracts.find((one) => one.name === wanted) ?? contracts[0];
    const links = contracts.map((one) => {
      const link = document.createElement("a");
      link.href = `/redoc?api=${encodeURIComponent(one.name)}`;
      link.textContent = one.name;
      if (one === chosen) link.setAttribute("aria-current", "page");
      return link;
    });
    document.getElementById("contracts").append(...links);
    Redoc.init(chosen.url, { hideDownloadButton: false, scrollYOffset: 48 }, document.getElementById("redoc"));
  });
