/** @file Recipes of tuning, by name. A line here makes one known. */

import { guanaco, guanacoLarge } from "./guanaco.js";
import { smallData } from "./small-data.js";

export type { Recipe } from "./recipe.js";

export const recipes = { guanaco, "guanaco-large": guanacoLarge, "small-data": smallData } as const;

export type RecipeName = keyof typeof recipes;
