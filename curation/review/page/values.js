// What a decision may hold: a class, a price, the rows of a file.

// A label and a price can both be corrected, in any order.
function joined(made, standing) {
  if (!standing || !PRICED.includes(made.decision) || !PRICED.includes(standing.decision)) return made;
  const { decision, new_label, new_class } = standing;
  if (made.decision === "reprice") return { ...made, decision, new_label, new_class };
  return { new_price: standing.new_price ?? null, ...made };
}

// Classes: those of the run, and those that people added

function classes() {
  return [...new Set([...data.classes, ...store.added()])];
}

// the same name but for case, blanks and the form of its letters
const sameName = (name) => name.normalize("NFKC").replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim().toLowerCase();
const asName = (typed) => typed.normalize("NFC").replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim();

// Prices: a number, or as sellers write it

function readPrice(text) {
  const [, before, number, times, after] = /^([^\d.,-]*)(-?[\d.,'’\s]*)(k(?!\p{L}))?([^\d]*)$/iu.exec(text.trim()) || [];
  // raised and circled digits and fractions are no digits, and 12³ is not 12
  if (number === undefined || !/\d/.test(number) || /\p{N}/u.test(before + after)) return { why: "Type a number, e.g. 12.50." };
  const sign = [before, after].map((part) => part.trim()).filter(Boolean).join(" ");
  if (data.currency && sign && !signs().includes(sign.toUpperCase())) return { why: `The prices of this dataset are in ${data.currency}.` };
  let digits = number.replace(/['’\s]/g, "");
  const marks = [...new Set(digits.match(/[.,]/g))];
  const last = marks.length && digits[Math.max(digits.lastIndexOf("."), digits.lastIndexOf(","))];
  const parts = digits.split(last || ".");
  if (parts.length > 2 && parts.slice(1).some((part) => part.length < 2 || part.length > 3)) return { why: "Type a number, e.g. 12.50." };
  const unit = times ? 1000 : 1;
  const either = marks.length === 1 && parts.length === 2 && parts[1].length === 3 && /^-?[1-9]\d{0,2}$/.test(parts[0]);
  const grouped = parts.length > 2 || (either && (data.thousandths ? last !== data.thousandths : last === ","));
  if (either && last === "." && !data.thousandths)
    return { why: `Is this ${parts.join("") * unit} or ${plainPrice(Number((digits * unit).toFixed(3)))}? Type it so.` };
  digits = grouped ? parts.join("") : digits.replaceAll(last === "," ? "." : ",", "").replace(",", ".");
  const price = Number(digits) * unit;
  return price >= 0 && price <= data.max_price ? { price } : { why: `A price is a number from 0 to ${data.max_price}.` };
}

// what may stand beside a price: the currency's code and its signs, as far as the browser knows them
function signs() {
  const known = [data.currency.toUpperCase()];
  for (const currencyDisplay of ["symbol", "narrowSymbol"]) {
    try {
      const format = new Intl.NumberFormat("en", { style: "currency", currency: data.currency, currencyDisplay });
      known.push(format.formatToParts(1).find((part) => part.type === "currency").value.toUpperCase());
    } catch {
      // no code of a currency, e.g. a sign
    }
  }
  return [...known, ...(known.includes("$") ? [`${data.currency[0]}$`, `${data.currency.slice(0, 2)}$`] : [])];
}

// 1.2990, not 1.299, which a reader might take for thousands
const plainPrice = (price) => (price === null ? "" : /\.\d{3}$/.test(price) ? `${price}0` : String(price));

// Signs without a shape: they must neither hide nor turn the direction of what stands beside them. Joiners stay where
// writing needs them, as in curation/rendering/visible.py.
const JOINERS = "(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f])\\u200d(?=\\p{Extended_Pictographic})|(?<=[\\u0600-\\u0dff])[\\u200c\\u200d](?=[\\u0600-\\u0dff])";
const HIDDEN = new RegExp(`${JOINERS}|([\\p{Cf}\\p{Zl}\\p{Zp}]|(?!\\n)\\p{Cc})`, "gu");
const escape = (sign) => (sign < "\u0100" ? `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}` : `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`);
const shown = (text) => String(text).replace(HIDDEN, (found, hidden) => (hidden === undefined ? found : escape(hidden)));
