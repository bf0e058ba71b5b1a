/** Names of events with the types of their listeners. */
export interface EventsMap {
  [event: string]: any;
}

/** Any event with any arguments: what is used where no map is given. */
export interface DefaultEventsMap {
  [event: string]: (...args: any[]) => void;
}

/** The names in a map. */
export type EventNames<Events extends EventsMap> = keyof Events & (string | symbol);

/** The arguments of an event. */
export type EventParams<Events extends EventsMap, Name extends EventNames<Events>> = Parameters<Events[Name]>;

/** The last element of a tuple. */
export type Last<Tuple extends unknown[]> = Tuple extends [...unknown[], infer L]
  ? L
  : Tuple extends (infer Element)[]
    ? Element
    : never;

/** A tuple without its last element. */
export type AllButLast<Tuple extends any[]> = Tuple extends [...infer Rest, any] ? Rest : any[];

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Whether a listener takes an acknowledgement at its end: a function. */
type HasAck<Listener> =
  IsAny<Listener> extends true
    ? boolean
    : Listener extends (...args: infer Params) => any
      ? Params extends []
        ? false
        : IsAny<Last<Params>> extends true
          ? boolean
          : Last<Params> extends (...args: any[]) => any
            ? true
            : false
      : false;

/** The events that can be acknowledged. */
export type EventNamesWithAck<Events extends EventsMap> = {
  [Name in EventNames<Events>]: true extends HasAck<Events[Name]> ? Name : never;
}[EventNames<Events>];

/** The events that cannot. */
export type EventNamesWithoutAck<Events extends EventsMap> = {
  [Name in EventNames<Events>]: false extends HasAck<Events[Name]> ? Name : never;
}[EventNames<Events>];

/** A map with only those events that cannot be acknowledged. */
export type RemoveAcknowledgements<Events extends EventsMap> = {
  [Name in EventNamesWithoutAck<Events>]: Events[Name];
};

/** What an acknowledgement brings: its first argument, an error aside. */
export type AckValue<Ack> = Ack extends (...args: infer Params) => any
  ? Params[0] extends Error
    ? Params[1]
    : Params[0]
  : any;

type WithError<Params extends any[]> = {
  [I in keyof Params]: Params[I] extends (...args: infer AckParams) => infer Result
    ? AckParams[0] extends Error
      ? Params[I]
      : (err: Error, ...args: AckParams) => Result
    : Params[I];
};

/** The same events, when their acknowledgements are called with an error first: after `timeout()`. */
export type DecorateAcknowledgements<Events> = {
  [Name in keyof Events]: Events[Name] extends (...args: infer Params) => infer Result
    ? (...args: WithError<Params>) => Result
    : Events[Name];
};

/** The listener of an event: one that has a meaning of its own, or one of the user's. */
export type ListenerOf<
  Reserved extends EventsMap,
  Events extends EventsMap,
  Name extends EventNames<Reserved> | EventNames<Events>,
> = OrAny<Name extends EventNames<Reserved> ? Reserved[Name] : Name extends EventNames<Events> ? Events[Name] : never>;

type OrAny<T> = [T] extends [never] ? (...args: any[]) => void | Promise<void> : T;
