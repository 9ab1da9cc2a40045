"use strict";

// For any page: <script async src="https://host/chat/<bot id>?as=script"></script>
// A round button in the corner; the chat itself is a frame, so that neither page can touch the other.
(() => {
  const script = document.currentScript;
  const address = new URL(script.src);
  const { label = {{name}}, side = "right", start = "" } = script.dataset;
  address.search = start ? new URLSearchParams({ start }) : "";

  const BUBBLE = "M12 3c5.5 0 10 3.700 10 8.300s-4.500 8.300-10 8.300c-1 0-1.900-.1-2.800-.3L4 21l1.200-3.700C3.200 15.800 2 13.700 2 11.300 2 6.700 6.500 3 12 3z";
  const CROSS = "M6 6l12 12M18 6L6 18";
  const corner = side === "left" ? "left" : "right";
  let frame = null;
  if (document.querySelector(`[data-parley="${address.pathname}"]`)) return; // the page has the tag twice

  /** By properties, one by one: a page may forbid style attributes, and its own styles should not reach in. */
  function styled(node, styles) {
    node.style.setProperty("all", "initial", "important");
    for (const [name, value] of Object.entries(styles)) node.style.setProperty(name, value, "important");
    return node;
  }

  function drawn() {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 24 24");
    picture.setAttribute("aria-hidden", "true");
    styled(picture, {
      width: "28px", height: "28px", fill: "none", stroke: "#fff", "stroke-width": "2", "pointer-events": "none",
    });
    picture.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
    return picture;
  }

  function button() {
    const node = styled(document.createElement("button"), {
      position: "fixed", bottom: "20px", [corner]: "20px", "z-index": "2147483647", width: "56px", height: "56px",
      display: "flex", "align-items": "center", "justify-content": "center", cursor: "pointer",
      background: "#4f46d8", "border-radius": "50%", "box-shadow": "0 4px 16px rgba(0, 0, 0, .3)",
    });
    node.type = "button";
    node.dataset.parley = address.pathname;
    node.setAttribute("aria-label", label);
    node.append(drawn());
    node.addEventListener("focus", () => node.style.setProperty("outline", "3px solid #a5b4fc", "important"));
    node.addEventListener("blur", () => node.style.removeProperty("outline"));
    node.addEventListener("click", toggle);
    return node;
  }

  function opened() {
    const node = styled(document.createElement("iframe"), {
      position: "fixed", bottom: "88px", [corner]: "20px", "z-index": "2147483646", display: "none",
      width: "min(400px, calc(100vw - 40px))", height: "min(640px, calc(100vh - 108px))", "max-height": "calc(100dvh - 108px)",
      "border-radius": "16px", "box-shadow": "0 8px 40px rgba(0, 0, 0, .3)", "color-scheme": "normal",
    });
    node.title = label;
    node.allow = "geolocation; autoplay; fullscreen";
    node.src = address;
    document.documentElement.append(node);
    return node;
  }

  function isOpen() {
    return frame?.style.display === "block";
  }

  function toggle() {
    frame ??= opened();
    frame.style.setProperty("display", isOpen() ? "none" : "block", "important");
    show();
    if (isOpen()) frame.focus();
  }

  function show() {
    opener.setAttribute("aria-expanded", String(isOpen()));
    opener.querySelector("path").setAttribute("d", isOpen() ? CROSS : BUBBLE);
  }

  const opener = button();
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !isOpen()) return;
    toggle();
    opener.focus();
  });
  show();
  document.documentElement.append(opener); // beside the body: what moves that must not move the corner
})();
