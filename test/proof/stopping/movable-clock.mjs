// Preloaded into the built API: SIGUSR2 moves its clock by CLOCK_SHIFT_SECONDS, and the next one moves it back.
const RealDate = Date;
const shiftMs = Number(process.env.CLOCK_SHIFT_SECONDS) * 1000;
let movedMs = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(Date.now());
    else super(...given);
  }
  static now() {
    return RealDate.now() + movedMs;
  }
};

process.on('SIGUSR2', () => {
  movedMs = movedMs === 0 ? shiftMs : 0;
});
