"use strict";

(() => {
  const FAST = 700; // ms between looks while someone is active
  const EAGER = 350; // and just after something was sent
  const EAGER_FOR = 4_000;
  const SLOWEST = 20_000;
  const ACTIVE_FOR = 15_000;
  const AWAIT_FOR = 20_000; // how long an answer is expected to what was sent
  const TYPING_FOR = 60_000; // how long a turn that the bot has begun is waited for eagerly
  const BEGIN_AFTER = 4_000; // a kept chat in which nothing was ever said begins then
  const RETRY_AFTER = [800, 2500]; // ms; then the person is asked
  const CALL_TIMEOUT = 15_000;
  const NEAR_END = 96; // px
  const MAX_PAYLOAD = 512; // characters of what a start may carry

  const WORDS = {
    en: {
      log: "Conversation", write: "Write a message", send: "Send", again: "Start again", cancel: "Cancel",
      latest: "Latest messages ↓", askTitle: "Start again?",
      askWords: "The conversation begins anew. What was said so far stays above.",
      online: "online", typing: "typing…", connecting: "connecting…", away: "no connection",
      you: "You", operator: "Operator", choices: "Choices", newTab: "opens in a new tab",
      sending: "Sending…", sent: "Sent", failed: "Not sent", retry: "Retry",
      offline: "You are offline. What you write is sent when the connection is back.",
      unreachable: "The chat cannot be reached just now. Trying again…",
      closed: "This chat is no longer available.",
      resting: "The bot is taking a rest and does not answer now.",
      notStarted: "The conversation could not be started.",
      nowhere: "Your browser does not tell where you are.",
      image: "Picture", video: "Video", audio: "Audio", file: "File",
    },
    ru: {
      log: "Переписка", write: "Напишите сообщение", send: "Отправить", again: "Начать заново", cancel: "Отмена",
      latest: "К новым сообщениям ↓", askTitle: "Начать заново?",
      askWords: "Разговор начнётся сначала. Всё сказанное останется выше.",
      online: "на связи", typing: "печатает…", connecting: "соединяемся…", away: "нет связи",
      you: "Вы", operator: "Оператор", choices: "Варианты ответа", newTab: "откроется в новой вкладке",
      sending: "Отправляется…", sent: "Отправлено", failed: "Не отправлено", retry: "Повторить",
      offline: "Нет подключения к сети. Сообщения уйдут, когда оно появится.",
      unreachable: "Чат сейчас недоступен. Пробуем ещё раз…",
      closed: "Этот чат больше недоступен.",
      resting: "Бот отдыхает и сейчас не отвечает.",
      notStarted: "Не удалось начать разговор.",
      nowhere: "Браузер не сообщает, где вы находитесь.",
      image: "Картинка", video: "Видео", audio: "Аудио", file: "Файл",
    },
  };

  const language = navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
  const words = WORDS[language];
  const bot = document.documentElement.dataset.bot;
  const address = new URL(`../api/webhook/webchat/${bot}`, location.href);
  const $ = (id) => document.getElementById(id);
  const log = $("log"), scroll = $("scroll"), text = $("text");
  const botName = $("name").textContent;

  // --- What is kept in the browser ------------------------------------------------------------

  const TOKEN = `parley.chat.${bot}`;
  const UNSENT = `parley.unsent.${bot}`;
  const SAID = `parley.said.${bot}`; // the last act that was accepted
  let token = kept(TOKEN);
  const keptUnsent = unsentOf(kept(UNSENT));

  function kept(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  }

  function keep(key, value) {
    try {
      if (value) localStorage.setItem(key, value);
      else localStorage.removeItem(key);
    } catch { /* a browser that keeps nothing: the chat lasts as long as the page */ }
  }

  function remember(given) {
    token = given;
    keep(TOKEN, given);
  }

  /** The page in another tab: it tells here when something was said there, and which chat it is in. */
  function follow({ key, newValue }) {
    if (key === TOKEN && newValue && token && newValue !== token) location.reload();
    else if (key === SAID || key === TOKEN) awaken();
  }

  /** What was written and not accepted when the page was left. */
  function unsentOf(json) {
    try { return JSON.parse(json) ?? []; } catch { return []; }
  }

  /** Beside what other tabs could not get through. */
  function keepUnsent() {
    const others = unsentOf(kept(UNSENT)).filter(({ id }) => !own.has(id) && !listed.has(id));
    const acts = [...unlisted.values()].filter((act) => act.label && act.state !== "sent");
    const plain = acts.map(({ id, body, label, pressed }) => ({ id, body, label, pressed }));
    const unsent = [...others, ...plain];
    keep(UNSENT, unsent.length ? JSON.stringify(unsent) : null);
  }

  // --- Calls ----------------------------------------------------------------------------------

  class Failure extends Error {
    constructor(status, shown = null) {
      super(`status ${status}`);
      this.status = status;
      this.shown = shown; // the token that was refused, perhaps
    }
    get passes() { return !this.status || this.status === 429 || this.status >= 500; }
  }

  async function call(method, { body, after } = {}) {
    const url = new URL(address);
    if (after) url.searchParams.set("after", after);
    const headers = {}, shown = token;
    if (shown) headers.authorization = `Bearer ${shown}`;
    if (body) headers["content-type"] = "application/json";
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), CALL_TIMEOUT);
    try {
      const response = await fetch(url, {
        method, headers, body: body && JSON.stringify(body),
        cache: "no-store", credentials: "omit", signal: giveUp.signal,
      });
      if (!response.ok) throw new Failure(response.status, shown);
      return await response.json();
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(0);
    } finally {
      clearTimeout(timer);
    }
  }

  // --- Sending: one act after the other, each under an id of its own, so that it may be repeated ---

  const outgoing = [];
  const own = new Set(); // ids of all acts of this page
  const unlisted = new Map(); // id → act not yet seen in the list
  let isFlushing = false;

  /** What is held goes first: it was said before. */
  function send(body, { label = "", pressed = "", id = newId() } = {}) {
    resume();
    const act = { id, body, label, pressed, state: "sending", isHeld: false, acceptedAt: 0, node: null, again: null };
    if (label) showOwn(act, label);
    own.add(act.id);
    unlisted.set(act.id, act);
    enqueue(act);
  }

  function enqueue(act) {
    act.isHeld = false;
    mark(act, "sending");
    outgoing.push(act);
    wake();
    flush();
  }

  async function flush() {
    if (isFlushing) return;
    isFlushing = true;
    while (outgoing.length) {
      const isReached = await deliver(outgoing[0]);
      const done = outgoing.splice(0, isReached ? 1 : outgoing.length);
      if (!isReached) done.forEach(hold);
    }
    isFlushing = false;
    showTyping();
    look();
  }

  /** Whether there was somebody who answered. */
  async function deliver(act) {
    for (let tries = 0; ; tries += 1) {
      try {
        accept(act, await call("POST", { body: { ...act.body, id: act.id } }));
        return true;
      } catch (failure) {
        if (act.state === "sent") return true; // its answer was lost, but the list has it
        if (failure.passes && tries >= RETRY_AFTER.length) return false;
        if (!failure.passes) {
          refuse(act, failure);
          return true;
        }
        await sleep(RETRY_AFTER[tries]);
      }
    }
  }

  function accept(act, answer) {
    remember(answer.chat_token);
    if (!answer.accepted) return rest(act);
    act.acceptedAt = Date.now();
    mark(act, "sent");
    keep(SAID, act.id);
  }

  function refuse(act, failure) {
    mark(act, "failed");
    if (failure.status === 401) anew(failure);
    if (failure.status === 404) close();
  }

  /** Until there is a connection again; what was said behind it waits too, for answers have an order. */
  function hold(act) {
    if (act.state === "sent") return;
    act.isHeld = true;
    mark(act, "failed");
  }

  function retry(act) {
    if (act.state === "failed") enqueue(act);
  }

  function resume() {
    for (const act of unlisted.values()) if (act.isHeld) retry(act);
  }

  /** Another press was made in the place of those that failed. */
  function withdraw(isOvertaken) {
    for (const act of unlisted.values()) {
      if (act.state !== "failed" || !act.pressed || !isOvertaken(act.pressed)) continue;
      unlisted.delete(act.id);
      act.node?.remove();
      act.again?.remove();
    }
    keepUnsent();
  }

  /** The chat is not known by this token any more: a new one begins, unless it has begun already. */
  function anew({ shown }) {
    if (shown !== token) return;
    remember(null);
    last = null;
    begin();
  }

  function rest(act) {
    mark(act, "failed");
    note(words.resting);
  }

  // --- Looking for what is new: often while someone is active, seldom when not, never unseen -------

  let last = null;
  const seen = new Set(); // ids of items
  const listed = new Set(); // ids of acts
  let timer = 0;
  let pause = FAST;
  let failures = 0;
  let activeAt = Date.now();
  let isLooking = false;
  let isClosed = false;
  let isBotTyping = false;

  async function look() {
    clearTimeout(timer);
    if (isLooking || isClosed || !token || document.hidden) return;
    isLooking = true;
    try {
      take(await call("GET", { after: last }));
      if (failures) resume();
      failures = 0;
    } catch (failure) {
      missed(failure);
    }
    isLooking = false;
    showConnection();
    schedule();
  }

  function take(answer) {
    const fresh = answer.items.filter((item) => !seen.has(item.id));
    for (const item of fresh) receive(item);
    if (!answer.typing) settlePresses();
    if (fresh.length) activeAt = Date.now();
    if (answer.items.length) last = answer.items.at(-1).id;
    openAsk = answer.open_ask;
    isBotTyping = answer.typing;
    showChoices();
    showTyping();
    if (!isPinned && fresh.some((item) => item.from !== "user" && !item.replaces)) $("latest").hidden = false;
    if (isRestoring() && !fresh.length) restored();
  }

  function restored() {
    scroll.setAttribute("aria-busy", "false");
    sendKept();
    if (!log.hasChildNodes()) setTimeout(() => { if (!log.hasChildNodes()) begin(); }, BEGIN_AFTER);
  }

  function sendKept() {
    for (const { body, ...about } of keptUnsent) if (!listed.has(about.id)) send(body, about);
  }

  function receive(item) {
    seen.add(item.id);
    listed.add(item.ref);
    const act = item.ref && unlisted.get(item.ref);
    if (item.from === "user" && act) settle(act, item);
    else if (places.has(item.replaces)) change(item);
    else if (!item.pressed || !isToggle(item.pressed)) show(item);
    if (item.from !== "user") forgetStarts();
  }

  /** A start shows nothing of its own: what the bot says tells that it arrived. */
  function forgetStarts() {
    for (const act of unlisted.values()) if (act.body.start && act.state === "sent") unlisted.delete(act.id);
  }

  function missed(failure) {
    if (failure.status === 404) return close();
    if (failure.status === 401) return anew(failure);
    failures += 1;
  }

  function schedule() {
    const idle = Date.now() - activeAt;
    const isBusy = idle < ACTIVE_FOR || (isExpecting() && idle < TYPING_FOR);
    if (isRestoring() && !failures) pause = 0;
    else if (failures) pause = Math.min(FAST * 2 ** failures, SLOWEST);
    else if (isExpecting() && idle < EAGER_FOR) pause = EAGER;
    else pause = isBusy ? FAST : Math.min(Math.max(pause, FAST) * 1.5, SLOWEST);
    clearTimeout(timer);
    if (!document.hidden && !isClosed) timer = setTimeout(look, pause);
  }

  function wake() {
    const wasResting = pause > FAST;
    activeAt = Date.now();
    pause = FAST;
    if (wasResting) look();
  }

  /** Whether something is to come soon: words, or what becomes of a choice. */
  function isExpecting() {
    return isBotTyping || isAwaited(() => true);
  }

  /** A choice that is only marked is no reason to show that somebody types. */
  function isTypingLikely() {
    return isBotTyping || isAwaited((act) => !act.pressed || !isToggle(act.pressed));
  }

  function isAwaited(matters) {
    const since = Date.now() - AWAIT_FOR;
    return [...unlisted.values()].some((act) => act.state === "sent" && act.acceptedAt > since && matters(act));
  }

  function isRestoring() {
    return scroll.getAttribute("aria-busy") === "true";
  }

  // --- Showing: text nodes only, so nothing anybody says can be markup ------------------------------

  let openAsk = null;
  let lastDay = new Date().toDateString();
  const places = new Map(); // id of an item of ours → {node, group, key}
  const groups = []; // choices shown: {ask, item, several, finish, buttons: Map value → button, shares}
  const chosen = new Map(); // ask → value
  const taken = new Map(); // ask → values, of several choices, as the bot knows them
  const presses = new Set(); // acts of which the bot has not yet shown what came of them

  function element(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  }

  function show(item) {
    const said = saidIn(item);
    if (item.pressed && item.text) choose(item.pressed);
    if (!said && !item.media.length && !item.buttons.length) return;
    const node = message(item.from, contentOf(item, said));
    if (node.querySelector(".bubble")) showState(node, item.from === "user" ? "sent" : "", item.at);
    const group = item.buttons.length ? choices(item) : null;
    if (group) node.append(group.node);
    places.set(item.id, { node, group, key: keyOf(item) });
    showDay(item.at);
    insert(node);
  }

  /** A message takes an earlier one's place. Choices that are the same stay: one may have the focus. */
  function change(item) {
    const place = places.get(item.replaces);
    places.set(item.id, place);
    const bubble = place.node.querySelector(".bubble");
    if (bubble && place.key !== keyOf(item)) {
      place.key = keyOf(item);
      bubble.replaceChildren(...contentOf(item, item.text));
      showState(place.node, "", item.at);
    }
    if (place.group && isAlike(place.group, item)) noteTaken(place.group, item);
    else regroup(place, item);
  }

  function keyOf({ text: said, spans, media }) {
    return JSON.stringify([said, spans, media]);
  }

  function saidIn(item) {
    if (item.text) return item.text;
    if (item.pressed) return labelOf(item.pressed);
    if (item.location) return placed(item.location);
    return item.contact ? named(item.contact) : "";
  }

  function named({ first_name: first, last_name: last, phone }) {
    return `👤 ${[first, last, phone].filter(Boolean).join(" ")}`;
  }

  function placed({ title, latitude, longitude }) {
    return `📍 ${title || `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`}`;
  }

  function contentOf({ spans = [], media }, said) {
    return [...styled(said, spans), ...media.map(file)];
  }

  function file({ type, url, name }) {
    const shown = isShowable(url) ? SHOWN[type]?.(url) : null;
    if (!shown) return fileLink(type, url, name);
    const node = element("div", "shown", shown);
    const player = node.querySelector("img, video, audio");
    player.addEventListener("error", () => node.replaceWith(fileLink(type, url, name)));
    player.src = url;
    return node;
  }

  function fileLink(type, url, name) {
    return link(url, "file", [name || (words[type] ?? words.file)]);
  }

  function picture(url) {
    const image = element("img");
    image.alt = words.image;
    return link(url, "", [image]);
  }

  function player(tag, label) {
    const node = element(tag);
    Object.assign(node, { controls: true, preload: "metadata", playsInline: true });
    node.setAttribute("aria-label", label);
    return node;
  }

  /** What a browser shows itself; what it cannot load after all becomes a link. */
  const SHOWN = {
    image: picture,
    video: () => player("video", words.video),
    audio: () => player("audio", words.audio),
  };

  function showOwn(act, label) {
    act.node = message("user", [label]);
    log.append(act.node);
    scrollToEnd();
  }

  /** What is still on its way stays below what has been said. */
  function insert(node) {
    const next = [...unlisted.values()].find((act) => act.node)?.node ?? null;
    if (node.parentNode === log && node.nextSibling === next) return; // it would be read out again
    if (!isRestoring()) node.classList.add("new");
    log.insertBefore(node, next);
  }

  function settle(act, item) {
    mark(act, "sent");
    unlisted.delete(act.id);
    if (!act.node) return;
    showDay(item.at);
    insert(act.node);
    showState(act.node, "sent", item.at);
  }

  function message(from, content) {
    const author = { user: words.you, operator: words.operator }[from] ?? botName;
    const bubble = element("div", "bubble", ...content);
    bubble.dir = "auto";
    const node = element("li", `message ${from === "system" ? "bot" : from}`);
    if (from === "operator") node.append(element("span", "author", author));
    else node.append(element("span", "unseen", `${author}: `));
    if (content.length) node.append(bubble);
    return node;
  }

  /** When it was said and, of one's own, how far it has come: in the corner of the bubble. */
  function showState(node, state, at = new Date().toISOString()) {
    for (const name of ["sending", "failed"]) node.classList.toggle(name, state === name);
    node.querySelector(".meta")?.remove();
    const corner = element("span", "meta");
    if (state === "sending" || state === "failed") corner.append(words[state]);
    else corner.append(timeOf(at));
    if (state === "sent") corner.append(element("span", "unseen", ` ${words.sent}`), tick());
    node.querySelector(".bubble").append(corner);
  }

  function timeOf(at) {
    const time = element("time", "", clock(at));
    time.dateTime = at;
    return time;
  }

  function tick() {
    const mark = element("span", "", " ✓");
    mark.setAttribute("aria-hidden", "true");
    return mark;
  }

  function mark(act, state) {
    act.state = state;
    keepUnsent();
    if (act.pressed) {
      if (state === "failed") presses.delete(act);
      else presses.add(act);
      if (!isToggle(act.pressed)) choose(act.pressed);
      showChoices();
    }
    act.again?.remove();
    if (act.node) showState(act.node, state);
    if (state === "failed") offerRetry(act);
  }

  function offerRetry(act) {
    if (act.node) act.node.append(act.again = retryButton(act));
    else (act.again = note(act.body.start ? words.notStarted : words.failed)).append(retryButton(act));
  }

  function retryButton(act) {
    const button = element("button", "retry", words.retry);
    button.type = "button";
    button.addEventListener("click", () => { resume(); retry(act); write(); });
    return button;
  }

  function note(said) {
    const node = element("li", "note", said);
    log.append(node);
    scrollToEnd();
    return node;
  }

  function showDay(at) {
    const day = new Date(at);
    if (day.toDateString() === lastDay) return;
    lastDay = day.toDateString();
    const format = new Intl.DateTimeFormat(navigator.language, { day: "numeric", month: "long" });
    insert(element("li", "day", format.format(day)));
  }

  function clock(at) {
    return new Intl.DateTimeFormat(navigator.language, { hour: "numeric", minute: "2-digit" }).format(new Date(at));
  }

  // --- Styled text: spans count characters, as people see code points, not UTF-16 units -------------

  const TAGS = { bold: "strong", italic: "em", code: "code" };

  function styled(said, spans) {
    const characters = Array.from(said);
    const inOrder = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
    return pieces(characters, inOrder, 0, characters.length);
  }

  function pieces(characters, spans, from, to) {
    const nodes = [];
    let at = from;
    while (spans.length) {
      const [span, ...others] = spans;
      const start = Math.max(span.start, at), end = Math.min(span.end, to);
      const inside = others.filter((other) => other.start < end);
      spans = others.filter((other) => other.end > end || other.start >= end);
      if (start >= end) continue;
      nodes.push(characters.slice(at, start).join(""));
      nodes.push(wrapped(span, pieces(characters, inside, start, end)));
      at = end;
    }
    nodes.push(characters.slice(at, to).join(""));
    return nodes.filter((node) => node !== "");
  }

  function wrapped(span, children) {
    if (span.style === "link") return link(span.url, "", children);
    return TAGS[span.style] ? element(TAGS[span.style], "", ...children) : element("span", "", ...children);
  }

  /** A link that can only lead elsewhere: never a script, never with a hold on this page. */
  function link(url, className, children) {
    if (!isSafe(url)) return element("span", className, ...children);
    const anchor = element("a", className, ...children);
    anchor.href = url;
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer nofollow";
    anchor.append(element("span", "unseen", ` (${words.newTab})`));
    return anchor;
  }

  /** Over a secure connection, or over the page's own: that of a bot on loopback, say. */
  function isShowable(url) {
    return isSafe(url) && (/^https:/i.test(url) || new URL(url).origin === location.origin);
  }

  function isSafe(url) {
    try { return ["http:", "https:", "mailto:", "tel:"].includes(new URL(url).protocol); } catch { return false; }
  }

  // --- Choices: alive while their question is the open one -------------------------------------------

  function askOf(value) {
    return value.slice(0, value.lastIndexOf(":") + 1);
  }

  function choices(item) {
    const about = { item: item.id, several: Boolean(item.several) };
    const group = { ...about, ask: null, finish: "", buttons: new Map(), shares: [] };
    group.node = element("div", "choices", ...item.buttons.map((button) => offered(group, button)));
    group.node.setAttribute("role", "group");
    group.node.setAttribute("aria-label", words.choices);
    groups.push(group);
    noteTaken(group, item);
    return group;
  }

  function offered(group, button) {
    if (button.url) return link(button.url, "choice", [button.text]);
    return button.share ? sharing(group, button) : choice(group, button);
  }

  function choice(group, { text: label, value }) {
    const button = actionable(label);
    button.addEventListener("click", () => press(group, button, value));
    group.ask = askOf(value);
    group.finish = group.several ? value : ""; // the last one
    group.buttons.set(value, button);
    return button;
  }

  function sharing(group, { text: label }) {
    const button = actionable(label);
    button.addEventListener("click", () => { if (isEnabled(button)) locate(); });
    group.shares.push(button);
    return button;
  }

  function actionable(label) {
    const button = element("button", "choice", label);
    button.type = "button";
    button.dir = "auto";
    return button;
  }

  function isEnabled(button) {
    return button.getAttribute("aria-disabled") !== "true" && !isClosed;
  }

  function press(group, button, value) {
    if (!isEnabled(button)) return;
    const said = value === group.finish ? takenLabels(group) : "";
    const label = isToggle(value) ? "" : said || button.textContent;
    withdraw((pressed) => (isToggle(value) ? pressed === value : askOf(pressed) === group.ask));
    send({ button: value, item: group.item }, { label, pressed: value });
  }

  function locate() {
    const tell = ({ coords: { latitude, longitude } }) => {
      const location = { latitude, longitude };
      send({ location }, { label: placed(location) });
    };
    const cannot = () => note(words.nowhere);
    if (!navigator.geolocation) return cannot();
    navigator.geolocation.getCurrentPosition(tell, cannot, { timeout: CALL_TIMEOUT, maximumAge: 60_000 });
  }

  function choose(value) {
    chosen.set(askOf(value), value);
  }

  // Of several choices each press takes one or gives it back, until the last button finishes.

  function isToggle(value) {
    const group = groups.find(({ buttons }) => buttons.has(value));
    return Boolean(group?.several) && value !== group.finish;
  }

  function noteTaken(group, item) {
    if (!group.several) return;
    settlePresses();
    taken.set(group.ask, new Set(item.buttons.filter(({ selected }) => selected).map(({ value }) => value)));
  }

  /** As the bot knows it, and what was pressed since. */
  function isTaken(ask, value) {
    const since = [...presses].filter((act) => act.pressed === value).length;
    return Boolean(taken.get(ask)?.has(value)) !== (since % 2 === 1);
  }

  function takenLabels(group) {
    const values = [...group.buttons.keys()].filter((value) => value !== group.finish && isTaken(group.ask, value));
    return values.map((value) => group.buttons.get(value).textContent).join(", ");
  }

  function isAlike(group, item) {
    const offeredNow = item.buttons.filter(({ value }) => value).map(({ value }) => value);
    return group.several && Boolean(item.several) && String([...group.buttons.keys()]) === String(offeredNow);
  }

  function regroup(place, item) {
    if (place.group) {
      groups.splice(groups.indexOf(place.group), 1);
      place.group.node.remove();
    }
    place.group = item.buttons.length ? choices({ ...item, id: place.group?.item ?? item.id }) : null;
    if (place.group) place.node.append(place.group.node);
  }

  /** What the list has come to: all presses that it has are accounted for. */
  function settlePresses() {
    for (const act of presses) if (!unlisted.has(act.id)) presses.delete(act);
  }

  /** Whether the open question's choices can be pressed: not while an answer to it is on its way. */
  function isAlive(ask) {
    const isAnswered = [...presses].some((act) => askOf(act.pressed) === ask && !isToggle(act.pressed));
    return ask !== null && ask === openAsk && !isAnswered;
  }

  /** `aria-disabled`, not `disabled`: a button that is pressed keeps the focus. */
  function showChoices() {
    for (const group of groups) {
      const alive = isAlive(group.ask);
      for (const [value, button] of group.buttons) {
        enable(button, alive);
        showPressed(button, group, value, alive);
      }
      for (const button of group.shares) enable(button, group === groups.at(-1));
    }
  }

  function enable(button, isEnabledNow) {
    button.setAttribute("aria-disabled", String(!isEnabledNow));
    button.tabIndex = isEnabledNow ? 0 : -1;
  }

  function showPressed(button, { ask, several, finish }, value, alive) {
    if (several && value !== finish) button.setAttribute("aria-pressed", String(isTaken(ask, value)));
    else if (!alive && value === chosen.get(ask)) button.setAttribute("aria-pressed", "true");
    else button.removeAttribute("aria-pressed");
  }

  function labelOf(value) {
    const group = groups.find(({ buttons }) => buttons.has(value));
    return group ? group.buttons.get(value).textContent : "";
  }

  // --- The frame ---------------------------------------------------------------------------------

  function showTyping() {
    $("typing").classList.toggle("on", !isClosed && isTypingLikely());
    showConnection();
  }

  function showConnection() {
    const isAway = isClosed || !navigator.onLine || failures > 1;
    const isTyping = $("typing").classList.contains("on");
    $("status").textContent = isAway ? words.away : isTyping ? words.typing : token ? words.online : words.connecting;
    $("status").classList.toggle("away", isAway || !token);
    showNotice(isClosed ? words.closed : !navigator.onLine ? words.offline : failures > 1 ? words.unreachable : "");
  }

  function showNotice(said) {
    if ($("notice").textContent !== said) $("notice").textContent = said;
    $("notice").hidden = !said;
  }

  function close() {
    isClosed = true;
    text.disabled = true;
    showTyping();
    showSend();
  }

  let isPinned = true; // to the end; not while the person reads further up
  let scrolledTo = 0;

  /** Only scrolling up unpins: a page that shrinks leaves the end behind too, and is to follow it. */
  function pin() {
    const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
    isPinned = isAtEnd || (isPinned && scroll.scrollTop >= scrolledTo);
    scrolledTo = scroll.scrollTop;
    if (isPinned) $("latest").hidden = true;
  }

  function scrollToEnd() {
    isPinned = true;
    scroll.scrollTop = scroll.scrollHeight;
    $("latest").hidden = true;
  }

  /** Whatever changes its size, by a message, a notice or a keyboard: the end stays in sight. */
  function stayAtEnd() {
    const observer = new ResizeObserver(() => { if (isPinned) scrollToEnd(); });
    for (const node of [scroll, log, $("typing")]) observer.observe(node);
  }

  function showSend() {
    $("send").setAttribute("aria-disabled", String(isClosed || !text.value.trim()));
  }

  function grow() {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 3}px`;
  }

  function submit() {
    const said = text.value.trim();
    if (!said || isClosed) return;
    text.value = "";
    grow();
    showSend();
    send({ text: said }, { label: said });
    text.focus();
  }

  /** Back to where one writes; on a phone that would bring up the keyboard unasked. */
  function write() {
    if (matchMedia("(hover: hover)").matches) text.focus();
  }

  function begin() {
    const payload = new URLSearchParams(location.search).get("start")?.slice(0, MAX_PAYLOAD);
    send(payload ? { start: true, payload } : { start: true });
  }

  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function sleep(milliseconds) {
    return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
  }

  function speak() {
    document.documentElement.lang = language;
    for (const node of document.querySelectorAll("[data-text]")) node.textContent = words[node.dataset.text];
    for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = words[node.dataset.placeholder];
    for (const node of document.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", words[node.dataset.label]);
      if (node.tagName === "BUTTON") node.title = words[node.dataset.label];
    }
    $("avatar").textContent = (Array.from(botName.trim())[0] ?? "•").toUpperCase();
  }

  /** Whether the key only ends a character that is being put together; Safari says so by its code alone. */
  function isComposing(event) {
    return event.isComposing || event.keyCode === 229;
  }

  function listen() {
    $("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      submit();
    });
    text.addEventListener("input", () => { grow(); showSend(); wake(); });
    $("again").addEventListener("click", () => { if (!isClosed) $("ask").showModal(); });
    $("ask").addEventListener("close", () => {
      if ($("ask").returnValue === "yes") begin();
      $("ask").returnValue = "";
      write();
    });
    $("latest").addEventListener("click", () => { scrollToEnd(); write(); });
    scroll.addEventListener("scroll", pin, { passive: true });
    document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else awaken(); });
    window.addEventListener("focus", awaken);
    window.addEventListener("storage", follow);
    window.addEventListener("online", () => { failures = 0; resume(); awaken(); });
    window.addEventListener("offline", showConnection);
    window.visualViewport?.addEventListener("resize", fit);
  }

  function awaken() {
    activeAt = Date.now();
    pause = FAST;
    showConnection();
    look();
  }

  /** A phone's keyboard covers the page without changing its height: take what is left, however far it is zoomed in. */
  function fit() {
    const { height, scale } = window.visualViewport;
    document.documentElement.style.setProperty("--height", `${height * scale}px`);
  }

  speak();
  listen();
  stayAtEnd();
  showSend();
  showConnection();
  write();
  if (token) look();
  else {
    scroll.setAttribute("aria-busy", "false");
    begin();
    sendKept();
  }
})();
