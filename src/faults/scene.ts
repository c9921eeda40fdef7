import type { Engine } from '../engine/port.ts';
import type { Node, Toolkit } from '../kind/adapter.ts';
import type { Clock } from '../lib/clock.ts';
import type { Toolbox } from '../toolbox/port.ts';

/** What a chaos type plans and measures with: the subject as it was seen a moment ago, and the instruments. It changes nothing itself: steps do. */
export interface Scene {
  subject: string;
  nodes: readonly SceneNode[];
  engine: Engine;
  toolbox: Toolbox;
  clock: Clock;
  toolkit: Toolkit;
  deaths: Deaths;
}

/** The engine's word that a container's process has ended. `toldAt` is of the monotonic clock, in milliseconds. */
export interface Death {
  toldAt: number;
  exitCode: number;
}

/** What the engine has told of itself, without being asked. */
export interface Deaths {
  /** The newest end of a container; null when none was told. */
  of(containerId: string): Death | null;
}

/** A node with what faults need to know beyond an adapter's view. */
export interface SceneNode extends Node {
  paused: boolean;
  /** On each network it is on now; empty while it does not run. */
  networks: { id: string; name: string; ipv4: string | null; ipv6: string | null }[];
  /** It shares the namespace of the engine's host. */
  hostNetwork: boolean;
  /** It shares another container's namespace, or its own is shared: what is done to the network hits all of these nodes. */
  sharesNetworkWith: string[];
  /** Its volumes of limited size, by mount point. */
  bounded: { volume: string; path: string }[];
  memoryLimited: boolean;
}

/** All addresses of a node. */
export function addressesOf(node: SceneNode): string[] {
  return node.networks.flatMap((n) => [n.ipv4, n.ipv6].filter((a) => a !== null));
}

/** Where `to` can be reached from `from`: its addresses on the networks that both are on. */
export function sharedAddresses(from: SceneNode, to: SceneNode): string[] {
  const ids = new Set(from.networks.map((n) => n.id));
  return addressesOf({ ...to, networks: to.networks.filter((n) => ids.has(n.id)) });
}

export function nodeOf(scene: Scene, name: string): SceneNode {
  const node = scene.nodes.find((n) => n.name === name);
  if (node === undefined) throw new Error(`${scene.subject} has no node ${name}`);
  return node;
}
