import type { INestApplication } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { REQUIREMENT, type Requirement } from '@countersign/identity';

/** What each route asks of its caller, by the name of its method: the same that the guard goes by. A public route asks nothing. */
export function requirementsOf(app: INestApplication): Map<string, Requirement> {
  const reflector = new Reflector();
  const requirements = new Map<string, Requirement>();
  for (const { controllers } of app.get(ModulesContainer).values()) {
    for (const { metatype } of controllers.values()) {
      const routes = Object.entries(Object.getOwnPropertyDescriptors(metatype?.prototype ?? {}));
      for (const [name, { value }] of routes) {
        if (typeof value !== 'function' || !metatype) continue;
        const requirement = reflector.getAllAndOverride<Requirement | undefined>(REQUIREMENT, [value, metatype]);
        if (requirement) requirements.set(name, requirement);
      }
    }
  }
  return requirements;
}
