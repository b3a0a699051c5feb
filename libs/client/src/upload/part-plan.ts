/** How a file is cut: all parts have the same size but the last, which is the rest. */
export interface PartPlan {
  /** The upload's. */
  id: string;
  partSize: number;
  partCount: number;
}

/** A part of the file, by a reference: its bytes are read when they are sent. */
export function partOf(file: Blob, { partSize }: PartPlan, partNumber: number): Blob {
  return file.slice((partNumber - 1) * partSize, partNumber * partSize);
}

export const allParts = ({ partCount }: PartPlan): number[] =>
  Array.from({ length: partCount }, (_, index) => index + 1);
