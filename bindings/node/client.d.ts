import type {
  AckValue,
  AllButLast,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  Last,
  ListenerOf,
} from "./events.js";

/**
 * The socket of a namespace, which is the path of `url`. Sockets of one server share a connection, but for two of the same
 * namespace; `forceNew` gives one of its own. Throws for a URL or an option that is not supported or has no sense.
 */
declare function io(url: string | URL, options?: Partial<io.ManagerOptions & io.SocketOptions>): io.Socket;

declare namespace io {
  /** What a socket sends to be let in: asked for, if it is a function, whenever it connects. */
  export type Auth = { [key: string]: any } | ((tell: (auth: object) => void) => void);

  export interface SocketOptions {
    auth?: Auth;
    /** Milliseconds within which acknowledgements have to come when `timeout()` says nothing. */
    ackTimeout?: number;
  }

  /** The options that are built. Others of the official client are refused by name. Times are in milliseconds. */
  export interface ManagerOptions {
    /** Whether it has a connection of its own. Default: false. */
    forceNew: boolean;
    /** The contrary of `forceNew`. */
    multiplex: boolean;
    /** Where the server answers. Default: "/socket.io". */
    path: string;
    addTrailingSlash: boolean;
    /** Default: polling first, then WebSocket. */
    transports: ("polling" | "websocket")[];
    /** Whether a connection goes from polling to WebSocket. Default: true. */
    upgrade: boolean;
    /** Added to the query of each request. */
    query: { [key: string]: any };
    /** Added to each request. */
    extraHeaders: { [header: string]: string };
    /** Whether a lost connection is opened again. Default: true. */
    reconnection: boolean;
    /** How often that is tried. Default: Infinity. */
    reconnectionAttempts: number;
    /** Before the first attempt; twice as long before each other. Default: 1,000. */
    reconnectionDelay: number;
    /** The longest. Default: 5,000. */
    reconnectionDelayMax: number;
    /** By what part of itself a delay is changed at random. Default: 0.5. */
    randomizationFactor: number;
    /** How long opening a connection may take; false is as long as it takes. Default: 20,000. */
    timeout: number | false;
    /** Whether it connects by itself. Default: true. */
    autoConnect: boolean;
    /** Whether the process may end while it is connected. Default: false. */
    autoUnref: boolean;
    /** Bytes that may wait to be sent; events past that are not sent. Default: 16 MiB. */
    maxBufferedBytes: number;
  }

  /** An error whose `data` the server sent. */
  export interface ExtendedError extends Error {
    data?: any;
  }

  export interface SocketReservedEvents {
    connect: () => void;
    connect_error: (error: ExtendedError) => void;
    disconnect: (reason: Socket.DisconnectReason, description?: any) => void;
  }

  export interface ManagerReservedEvents {
    open: () => void;
    error: (error: Error) => void;
    ping: () => void;
    close: (reason: string, description?: any) => void;
    reconnect_failed: () => void;
    reconnect_attempt: (attempt: number) => void;
    reconnect_error: (error: Error) => void;
    reconnect: (attempt: number) => void;
  }

  /** Events as the official client has them: "error" is one like any other. */
  export class Emitter<Listen extends EventsMap, Emit extends EventsMap, Reserved extends EventsMap = {}> {
    on<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
      listener: ListenerOf<Reserved, Listen, Name>,
    ): this;
    once<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
      listener: ListenerOf<Reserved, Listen, Name>,
    ): this;
    /** Takes a listener out, or all of an event, or all. */
    off<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name?: Name,
      listener?: ListenerOf<Reserved, Listen, Name>,
    ): this;
    addEventListener: this["on"];
    removeListener: this["off"];
    removeAllListeners: this["off"];
    removeEventListener: this["off"];
    emit<Name extends EventNames<Emit>>(name: Name, ...args: EventParams<Emit, Name>): this;
    listeners<Name extends EventNames<Reserved> | EventNames<Listen>>(
      name: Name,
    ): ListenerOf<Reserved, Listen, Name>[];
    hasListeners<Name extends EventNames<Reserved> | EventNames<Listen>>(name: Name): boolean;
  }

  /** The client's end of a namespace. What is emitted before it is connected is sent when it is. */
  export class Socket<
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
  > extends Emitter<ListenEvents, EmitEvents, SocketReservedEvents> {
    constructor(io: Manager, nsp: string, options?: Partial<SocketOptions>);
    readonly io: Manager<ListenEvents, EmitEvents>;
    readonly nsp: string;
    /** What the server knows it by, while it is connected. */
    readonly id: string | undefined;
    readonly connected: boolean;
    /** Always false: connections are not recovered yet. */
    readonly recovered: boolean;
    auth: Auth;
    get disconnected(): boolean;
    /** Whether it is connected or will be: not after either side has disconnected it, nor after the server has refused it. */
    get active(): boolean;
    connect(): this;
    open(): this;
    disconnect(): this;
    close(): this;
    /** Sends an event. Throws for arguments that cannot be sent. */
    emit<Name extends EventNames<EmitEvents>>(name: Name, ...args: EventParams<EmitEvents, Name>): this;
    /** Sends an event, and resolves with the acknowledgement. Rejects when there will be none. */
    emitWithAck<Name extends EventNames<EmitEvents>>(
      name: Name,
      ...args: AllButLast<EventParams<EmitEvents, Name>>
    ): Promise<AckValue<Last<EventParams<EmitEvents, Name>>>>;
    send(...args: any[]): this;
    /** For the next event: its acknowledgement has to come within so many milliseconds, else it is called with an error. */
    timeout(milliseconds: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>;
    /** For the next event: it is dropped when it cannot be sent at once. */
    get volatile(): this;
    /** Changes nothing: nothing is compressed yet. */
    compress(compress: boolean): this;
    /** Has a listener called with every event that comes, its name first. */
    onAny(listener: (...args: any[]) => void): this;
    prependAny(listener: (...args: any[]) => void): this;
    offAny(listener?: (...args: any[]) => void): this;
    listenersAny(): ((...args: any[]) => void)[];
    /** Has a listener called with every event that is sent, its name first. */
    onAnyOutgoing(listener: (...args: any[]) => void): this;
    prependAnyOutgoing(listener: (...args: any[]) => void): this;
    offAnyOutgoing(listener?: (...args: any[]) => void): this;
    listenersAnyOutgoing(): ((...args: any[]) => void)[];
  }

  export namespace Socket {
    /** Why a socket is disconnected. */
    type DisconnectReason =
      | "io server disconnect"
      | "io client disconnect"
      | "ping timeout"
      | "transport close"
      | "transport error"
      | "parse error"
      | "forced close";
  }

  /** A connection to a server, shared by sockets, and opened again when it is lost. */
  export class Manager<
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
  > extends Emitter<{}, {}, ManagerReservedEvents> {
    constructor(uri: string | URL, options?: Partial<ManagerOptions>);
    readonly opts: Partial<ManagerOptions>;
    /** The socket of a namespace, always the same one. */
    socket(nsp: string, options?: Partial<SocketOptions>): Socket<ListenEvents, EmitEvents>;
    /** Connects. `listener` is called when it has, or with the error. */
    open(listener?: (error?: Error) => void): this;
    connect(listener?: (error?: Error) => void): this;
    /** Disconnects all sockets, and closes the connection. */
    disconnect(): void;
    // The settings, which can be changed before the manager has a socket and is opened.
    reconnection(): boolean;
    reconnection(value: boolean): this;
    reconnectionAttempts(): number;
    reconnectionAttempts(value: number): this;
    reconnectionDelay(): number;
    reconnectionDelay(value: number): this;
    reconnectionDelayMax(): number;
    reconnectionDelayMax(value: number): this;
    randomizationFactor(): number;
    randomizationFactor(value: number): this;
    timeout(): number | false;
    timeout(value: number | false): this;
  }

  /** The version of the Socket.IO protocol. */
  export const protocol: number;

  export { io, io as connect, io as default };
}

export = io;
