/** Numbers as people read them: lengths and speeds in the agency's units, ages, and 24-hour times. */

export interface AgencyUnits {
  readonly length: string;
  readonly distance: string;
  readonly speed: string;
}

export const DEFAULT_UNITS: AgencyUnits = { length: "ft", distance: "mi", speed: "mph" };

const METERS: Readonly<Record<string, number>> = { ft: 0.3048, yd: 0.9144, m: 1, km: 1000, mi: 1609.344 };
const METERS_PER_SECOND: Readonly<Record<string, number>> = { mph: 0.44704, "km/h": 1 / 3.6, kmh: 1 / 3.6, kph: 1 / 3.6, kn: 0.514444, "m/s": 1 };

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const formatCount = (value: number): string => GROUPED.format(value);

/** Show meters in the profile's short unit, or from a tenth of it on in its long unit. */
export function formatLength(meters: number, units: AgencyUnits = DEFAULT_UNITS): string {
  const long = METERS[units.distance] ?? 1609.344;
  if (meters >= long / 5) return `${(meters / long).toFixed(meters >= long * 10 ? 0 : 1)} ${units.distance}`;
  return `${GROUPED.format(meters / (METERS[units.length] ?? 0.3048))} ${units.length}`;
}

/** Show meters a second in the profile's unit. */
export function formatSpeed(metersPerSecond: number, units: AgencyUnits = DEFAULT_UNITS): string {
  const factor = METERS_PER_SECOND[units.speed] ?? 0.44704;
  return `${GROUPED.format(metersPerSecond / factor)} ${units.speed}`;
}

const COMPASS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"] as const;

export function formatHeading(degrees: number): string {
  const point = COMPASS[Math.round((((degrees % 360) + 360) % 360) / 45) % 8] as string;
  return `${point} ${Math.round(degrees) % 360}°`;
}

/** Show an age in its largest whole unit: `3 s`, `6 min`, `2 h 05 min`, `3 d`. A negative age is 0 s. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** Show a running timer: `4:07`, `1:04:07`, from a day on `2 d 03 h`. */
export function formatTimer(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${String(hours % 24).padStart(2, "0")} h`;
  const rest = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timeZone}|${Object.keys(parts).join()}`;
  let found = CLOCKS.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...parts });
    CLOCKS.set(key, found);
  }
  return found;
}

/** Show a time of day, 24 hours with seconds. Unknown time zones throw RangeError. */
export function formatTime(ms: number, timeZone = "UTC"): string {
  return formatter(timeZone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);
}

/** Show a day, like `Sun, Nov 22`. */
export function formatDay(ms: number, timeZone = "UTC"): string {
  return formatter(timeZone, { weekday: "short", month: "short", day: "numeric" }).format(ms);
}

const formatYear = (ms: number, timeZone: string): string => formatter(timeZone, { year: "numeric" }).format(ms);

/** Show a time of day, with its day before it when that is not today's, and its year when that is another. */
export function formatMoment(ms: number, nowMs: number, timeZone = "UTC"): string {
  const isThisYear = formatYear(ms, timeZone) === formatYear(nowMs, timeZone);
  const day = isThisYear ? formatDay(ms, timeZone) : `${formatDay(ms, timeZone)}, ${formatYear(ms, timeZone)}`;
  return day === formatDay(nowMs, timeZone) ? formatTime(ms, timeZone) : `${day}, ${formatTime(ms, timeZone)}`;
}

/** Show the short name of a zone at a time, like `CST`; it tells the repeated autumn hour apart. */
export function formatZone(ms: number, timeZone = "UTC"): string {
  const parts = formatter(timeZone, { timeZoneName: "short" }).formatToParts(ms);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? timeZone;
}
