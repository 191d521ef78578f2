/* ReDoc for the contract that the bar has chosen, in the reader's colors. */
const dark = matchMedia("(prefers-color-scheme: dark)");
const TABS = { success: { tabTextColor: "#8be0ae" }, error: { tabTextColor: "#ffaca6" }, redirect: { tabTextColor: "#ffd28a" } };
const LIGHT = {
  colors: { text: { secondary: "#44525f" }, success: { main: "#126b38" }, error: { main: "#ab1f1f" }, responses: TABS },
  typography: { code: { color: "#96201b" } },
};
const DARK = {
  colors: {
    primary: { main: "#86b8ff" },
    success: { main: "#6fd39a" },
    warning: { main: "#ffc46b" },
    error: { main: "#ff9c96" },
    gray: { 50: "#1a222b", 100: "#323d49" },
    text: { primary: "#e5eaf0", secondary: "#a9b6c3" },
    border: { dark: "#46535f", light: "#323d49" },
    responses: TABS,
  },
  schema: { linesColor: "#5a6b7c", requireLabelColor: "#ff9c96", nestedBackground: "#1a222b", arrow: { color: "#a9b6c3" } },
  typography: { code: { color: "#ffb1a8", backgroundColor: "#0c1117" } },
  sidebar: { backgroundColor: "#1a222b", textColor: "#e5eaf0", activeTextColor: "#86b8ff" },
  rightPanel: {
    backgroundColor: "#0c1117",
    servers: { overlay: { backgroundColor: "#1a222b", textColor: "#e5eaf0" }, url: { backgroundColor: "#0c1117" } },
  },
  codeBlock: { backgroundColor: "#1a222b" },
  fab: { backgroundColor: "#323d49", color: "#86b8ff" },
};

Redoc.init(
  document.querySelector("#contracts [aria-current]").dataset.file,
  { scrollYOffset: ".bar", theme: dark.matches ? DARK : LIGHT },
  document.getElementById("content"),
);
/* ReDoc computes its colors once. */
dark.addEventListener("change", () => location.reload());
